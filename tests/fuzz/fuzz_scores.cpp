// SPDX-License-Identifier: LGPL-2.1-or-later
// Stored scores and score maps, as uad replay reads them. The first byte chooses.
#include "core/data/npy.h"
#include "core/eval/stored_scores.h"
#include "tests/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace uad;
  if (count == 0) return 0;
  const fuzz::MemoryFile file(bytes + 1, count - 1);
  fuzz::expect_read_or_refused([&] {
    if (bytes[0] % 2 == 0) return (void)read_npy(file.path());
    for (const StoredRun& run : read_scores(file.path())) {
      if (run.thresholds) (void)run.thresholds->with({.reject = 1, .region = 0.6});
    }
  });
  return 0;
}

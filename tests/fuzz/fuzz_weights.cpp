// SPDX-License-Identifier: LGPL-2.1-or-later
// Foreign weights: safetensors, `.pth` as a zip of pickles, and the older form.
#include "core/files/state_dict.h"
#include "tests/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const uad::fuzz::MemoryFile file(bytes, count);
  uad::fuzz::expect_read_or_refused([&] { (void)uad::load_state_dict(file.path()); });
  return 0;
}

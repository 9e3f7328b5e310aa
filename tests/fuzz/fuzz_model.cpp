// SPDX-License-Identifier: LGPL-2.1-or-later
// `.uad` model files: container, manifest, mask, tensors.
#include <string>

#include "core/base/files/manifest.h"
#include "core/base/files/model_mask.h"
#include "core/files/model_file.h"
#include "tests/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace uad;
  const fuzz::MemoryFile file(bytes, count);
  fuzz::expect_read_or_refused([&] { (void)load_model_file(file.path(), {}, {}); });
  fuzz::expect_read_or_refused([&] { (void)read_model_mask(file.path()); });
  // The hashes keep altered manifests from going far, so one is also read without its container.
  const std::string text(reinterpret_cast<const char*>(bytes), count);
  fuzz::expect_read_or_refused([&] { (void)to_json_text(parse_manifest(text, "input")); });
  return 0;
}

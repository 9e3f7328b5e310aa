// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists written as text: sizes, rectangles, parts, the values of options. The first byte chooses.
#include <string>

#include "core/base/geometry/geometry.h"
#include "core/base/option_spec.h"
#include "core/data/part.h"
#include "tests/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace uad;
  if (count == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, count - 1);
  fuzz::expect_read_or_refused([&] {
    switch (bytes[0] % 4) {
      case 0:
        return (void)parse_size(text, "resize");
      case 1:
        return (void)parse_rect(text, "roi");
      case 2:
        return (void)parse_part(text, "part");
      default:
        for (const auto type : {OptionType::kBool, OptionType::kInt, OptionType::kFloat,
                                OptionType::kString, OptionType::kSize}) {
          fuzz::expect_read_or_refused([&] { (void)parse_option({"option", type}, text); });
        }
    }
  });
  return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Configuration files of the `uad` program, up to its checked options.
#include "tests/fuzz/reader.h"
#include "tools/arguments.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using uad::OptionType;
  static const uad::tools::Syntax syntax{
      .name = "train",
      .summary = "",
      .options = {{"resize", OptionType::kSize, {256, 256}, "", {}},
                  {"k", OptionType::kFloat, 10, "", {}, 0, 100},
                  {"seed", OptionType::kInt, 3, "", {}, 0, 1e9},
                  {"do_eval", OptionType::kBool, true, "", {}},
                  {"backbone", OptionType::kString, "resnet18", "", {"resnet18", "gabor"}}}};
  const uad::fuzz::MemoryFile file(bytes, count);
  uad::fuzz::expect_read_or_refused([&] {
    const auto read = uad::tools::parse_arguments(syntax, {"--config", file.path().string()});
    (void)uad::tools::to_yaml(read.options);
  });
  return 0;
}

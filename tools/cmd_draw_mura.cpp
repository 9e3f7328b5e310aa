// SPDX-License-Identifier: LGPL-2.1-or-later
// uad draw-mura: a synthetic set of display panels, in the layout of few-shot mura sets.
#include <filesystem>

#include <fmt/format.h>

#include "core/data/image_io.h"
#include "core/demo/panel.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;
using demo::Mura;
using demo::Severity;

constexpr const char* kExamples = R"(Examples:
  uad draw-mura --output data/mura
  uad train --method uf-gan --data data/mura --output mura.uad)";

OptionSpec count(const char* name, int images, const char* help) {
  return {.name = name,
          .type = OptionType::kInt,
          .default_value = images,
          .help = help,
          .minimum = 1,
          .maximum = 100000};
}

Syntax draw_mura_syntax() {
  Syntax syntax;
  syntax.name = "draw-mura";
  syntax.summary =
      "Draws pictures of display panels: normal ones, some with light mura, and defective ones "
      "with "
      "serious mura (line, spot, blob, corner, uneven, faint). They are synthetic: figures from "
      "them say nothing about real panels.";
  syntax.examples = kExamples;
  syntax.options = {
      {.name = "output",
       .default_value = "data/mura",
       .help = "folder for train_data/normal, eval_data and test_data/{normal,defect}"},
      {.name = "size",
       .type = OptionType::kSize,
       .default_value = {demo::kPanelSize.height, demo::kPanelSize.width},
       .help = "of a picture, pixels"},
      count("train", 40, "normal pictures to learn from"),
      count("eval", 20, "pictures of each class to choose a state by"),
      count("test", 60, "pictures of each class to judge by"),
      {.name = "seed",
       .type = OptionType::kInt,
       .default_value = 3,
       .help = "of everything that is drawn",
       .minimum = 0,
       .maximum = 1000000},
  };
  syntax.elsewhere = all_keys();
  return syntax;
}

class Drawing {
 public:
  Drawing(fs::path root, Size size, std::uint64_t seed)
      : root_(std::move(root)), size_(size), seed_(seed * 1000003) {}

  /// Every other normal panel has a light mura.
  void normal(const std::string& part, int count) {
    const fs::path folder = root_ / part / "normal";
    fs::create_directories(folder);
    for (int i = 0; i < count; ++i) {
      const Mura mura = i % 2 == 0 ? Mura::kNone : kind(i / 2);
      write_png(folder / fmt::format("{:03}.png", i),
                demo::draw_panel(size_, seed_++, mura, Severity::kLight).image);
      bar_.update(static_cast<double>(i + 1) / count, part + "/normal");
    }
  }

  void defect(const std::string& part, int count) {
    const fs::path folder = root_ / part / "defect";
    const fs::path masks = root_ / part / "ground_truth" / "defect";
    fs::create_directories(folder);
    fs::create_directories(masks);
    for (int i = 0; i < count; ++i) {
      const demo::Panel panel = demo::draw_panel(size_, seed_++, kind(i), Severity::kSerious);
      const std::string name = fmt::format("{:03}_{}", i, demo::to_string(kind(i)));
      write_png(folder / (name + ".png"), panel.image);
      write_png(masks / (name + "_mask.png"), panel.mask);
      bar_.update(static_cast<double>(i + 1) / count, part + "/defect");
    }
  }

 private:
  static Mura kind(int i) {
    return demo::kMuras.at(static_cast<std::size_t>(i) % demo::kMuras.size());
  }

  fs::path root_;
  Size size_;
  std::uint64_t seed_;  // of the next picture
  ProgressBar bar_;
};

}  // namespace

int run_draw_mura(const Args& args) {
  const Arguments arguments = parse_arguments(draw_mura_syntax(), args);
  const fs::path root = arguments.get<std::string>("output");
  if (fs::exists(root) && !fs::is_empty(root)) {
    throw UsageError(
        fmt::format("\"{}\" is not empty. Name another folder with --output.", root.string()));
  }
  const nlohmann::json& size = arguments.options.at("size");
  const Size pixels{size[1].get<int>(), size[0].get<int>()};
  if (pixels.width < 32 || pixels.height < 32) {
    throw UsageError(fmt::format("--size must be at least 32x32, but is {}.", to_string(pixels)));
  }
  Drawing drawing(root, pixels, arguments.get<std::uint64_t>("seed"));
  drawing.normal("train_data", arguments.get<int>("train"));
  for (const auto& [part, count] : {std::pair{"eval_data", "eval"}, {"test_data", "test"}}) {
    drawing.normal(part, arguments.get<int>(count));
    drawing.defect(part, arguments.get<int>(count));
  }
  return 0;
}

}  // namespace uad::tools

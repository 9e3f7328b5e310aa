// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/score_pictures.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/data/image_io.h"
#include "core/eval/map_names.h"
#include "core/eval/score_overlay.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

void save(const fs::path& folder, const fs::path& name, const Image& picture) {
  fs::path file = folder / name;
  file += ".png";
  fs::create_directories(file.parent_path());
  write_png(file, picture);
}

}  // namespace

std::vector<OptionSpec> score_picture_specs() {
  return {{.name = "vis_compound",
           .help = "folder for pictures of the judged images: image, truth, scores over the image",
           .aliases = {"evaluator.vis_compound.save_dir"}},
          {.name = "vis_single",
           .help = "the same of the scores over the image alone",
           .aliases = {"evaluator.vis_single.save_dir"}},
          {.name = "vis_min_score",
           .type = OptionType::kFloat,
           .help = "map score that is blue there [the smallest of all]",
           .aliases = {"evaluator.vis_compound.min_score", "evaluator.vis_single.min_score"}},
          {.name = "vis_max_score",
           .type = OptionType::kFloat,
           .help = "map score that is red there [the largest of all]",
           .aliases = {"evaluator.vis_compound.max_score", "evaluator.vis_single.max_score"}}};
}

void check_score_pictures(const Arguments& args) {
  const nlohmann::json& low = args.options.at("vis_min_score");
  const nlohmann::json& high = args.options.at("vis_max_score");
  if (low.is_null() || high.is_null() || low < high) return;
  throw UsageError(fmt::format("--vis-min-score is {}, not below --vis-max-score, {}.", low.dump(),
                               high.dump()));
}

ScorePictures::ScorePictures(const Arguments& args, std::string product)
    : compound_(args.text("vis_compound")),
      single_(args.text("vis_single")),
      product_(std::move(product)),
      low_(args.options.at("vis_min_score")),
      high_(args.options.at("vis_max_score")) {}

void ScorePictures::offer(const LabelledFrame& frame, const ModelOutput& output) {
  if (wanted()) scored_.push_back({frame.name, output.map, output.placement});
}

void ScorePictures::write(FrameSource& frames) {
  if (scored_.empty()) return;
  ScoreRange range = range_of(scored_.front().map);
  for (const Scored& one : scored_) {
    const ScoreRange own = range_of(one.map);
    range = {std::min(range.low, own.low), std::max(range.high, own.high)};
  }
  if (!low_.is_null()) range.low = low_;
  if (!high_.is_null()) range.high = high_;
  frames.rewind();
  MapNames names;
  auto scored = scored_.begin();
  while (const auto frame = frames.next()) {
    if (scored == scored_.end()) break;
    if (frame->name != scored->name) continue;  // left out of the evaluation
    const Image rgb = to_rgb(frame->view, {0, 0, frame->view.width, frame->view.height});
    const ScoredPicture picture{rgb, scored->map, scored->placement,
                                frame->mask ? &*frame->mask : nullptr};
    const fs::path name =
        names.take(fs::path(product_) / frame->kind / fs::path(frame->name).stem());
    if (!compound_.empty()) save(compound_, name, draw_strip(picture, range));
    if (!single_.empty()) save(single_, name, draw_overlay(picture, range));
    ++scored;
  }
}

}  // namespace uad::tools

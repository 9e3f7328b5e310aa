// SPDX-License-Identifier: LGPL-2.1-or-later
// uad predict: score, verdict and regions of images or of the frames of a video.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/results/regions.h"
#include "core/data/dataset.h"
#include "core/data/image_io.h"
#include "core/data/npy.h"
#include "core/eval/map_names.h"
#include "core/eval/prediction_picture.h"
#include "core/eval/result_picture.h"
#include "core/eval/stored_scores.h"
#include "core/exec/thread_pool.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/data_sets.h"
#include "tools/pictures.h"
#include "tools/video_source.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  uad predict --model screw.uad part.png
  uad predict --model screw.uad parts/ --json scores.json --save-maps maps/
  uad predict --model tile.uad test/ --gallery pictures/ --n-samples 20 --show-heatmap
  uad predict --model bottles.uad camera.mp4 --frames 0-500 --fail-on-reject)";

Syntax predict_syntax() {
  Syntax syntax;
  syntax.name = "predict";
  syntax.summary = "Scores images, folders of images, or the frames of a video.";
  syntax.positional = "PATH";
  syntax.examples = kExamples;
  syntax.options = join(
      {{{.name = "model", .help = "model file", .aliases = {"model_path"}},
        {.name = "img_path", .help = "an image, if no PATH is given"},
        {.name = "json", .help = "write a list with one object an image; - = stdout"},
        {.name = "save_maps", .help = "folder for score maps (.npy, float32) and heatmaps (.png)"},
        {.name = "gallery",
         .help = "folder for pictures with title, boxes and, with --show-heatmap, a red tint"},
        {.name = "n_samples",
         .type = OptionType::kInt,
         .default_value = 3,
         .help = "first images that --gallery keeps; 0 = all",
         .minimum = 0},
        {.name = "show_heatmap",
         .type = OptionType::kBool,
         .default_value = false,
         .help = "tint the pictures of --gallery where the model looks"},
        {.name = "fail_on_reject",
         .type = OptionType::kBool,
         .default_value = false,
         .help = "exit with 3 if anything is rejected"},
        {.name = "frames", .help = "frames A-B of a video, counted from 0, both included"}},
       picture_specs(),
       threshold_specs("the model's"),
       execution_specs(),
       ignored_specs()});
  syntax.elsewhere = all_keys();
  return syntax;
}

/// One thing to score, and the name of its files below --save-maps.
struct Input {
  fs::path file;
  fs::path output;
};

std::vector<Input> images_below(const fs::path& folder) {
  std::vector<Input> result;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& file = entry.path();
    if (!entry.is_regular_file() || file.filename().string().starts_with('.')) continue;
    if (has_image_extension(file)) result.push_back({file, name_below(folder, file)});
  }
  std::ranges::sort(result, {}, &Input::file);
  if (result.empty()) {
    throw Error(ErrorCode::kNotFound, fmt::format("Folder \"{}\" holds no image (.png, .jpg, .bmp, "
                                                  ".tif).",
                                                  folder.string()));
  }
  return result;
}

std::vector<Input> list_inputs(const std::vector<std::string>& paths) {
  std::vector<Input> result;
  for (const fs::path path : paths) {
    if (!fs::exists(path)) {
      throw Error(ErrorCode::kNotFound, fmt::format("\"{}\" does not exist.", path.string()));
    }
    if (fs::is_directory(path)) {
      for (Input& input : images_below(path)) result.push_back(std::move(input));
    } else {
      result.push_back({path, path.filename()});
    }
  }
  return result;
}

Thresholds effective_thresholds(const Arguments& args, const StoredThresholds& model) {
  try {
    return model.with(threshold_wish(args));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

class Predictor {
 public:
  Predictor(const Arguments& args, ModelPtr model)
      : args_(args),
        model_(std::move(model)),
        preprocessor_({model_->manifest().input, model_->mask()}),
        stored_(StoredThresholds::of(model_->manifest().thresholds)),
        thresholds_(effective_thresholds(args, stored_)),
        picture_{thresholds_, box_rule(model_->manifest()), args.get<bool>("show_heatmap")} {
    stored_ = stored_.judged_with(thresholds_);
  }

  void predict(const Input& input) {
    if (is_video(input.file)) {
      predict_video(input);
    } else {
      const Image image = read_image(input.file);
      fs::path output = input.output;
      predict_frame(input.file.string(), view(image), output.replace_extension());
    }
  }

  [[nodiscard]] const nlohmann::json& results() const { return results_; }
  [[nodiscard]] bool rejected() const { return rejected_; }

 private:
  void predict_video(const Input& input) {
    VideoSource frames(input.file, parse_frame_range(args_.text("frames")));
    while (const auto frame = frames.next()) {
      const std::string number = frame->name.substr(frame->name.rfind('#') + 1);
      fs::path output = input.output;
      predict_frame(frame->name, frame->view,
                    output.replace_extension() / fmt::format("{:0>6}", number));
    }
  }

  void predict_frame(const std::string& name, const FrameView& frame, const fs::path& output) {
    const ModelOutput result = model_->analyse(*preprocessor_.cut(frame));
    const std::vector<Region> regions =
        find_regions(result.map, result.placement, thresholds_.map.thr, thresholds_.min_area);
    const OverlayInput verdict{.map = &result.map,
                               .placement = result.placement,
                               .thresholds = thresholds_,
                               .verdict = judge(result.score, thresholds_),
                               .score = result.score,
                               .normalised_score = thresholds_.image.normalise(result.score),
                               .regions = regions};
    rejected_ = rejected_ || verdict.verdict == Verdict::kReject;
    nlohmann::json one = report(name, verdict);
    if (!result.product.empty()) one["product"] = result.product;
    if (args_.has("save_maps")) one["map"] = save_maps(frame, verdict, output);
    if (args_.has("gallery")) save_picture(name, frame, result, output);
    if (args_.get<bool>("save_pic")) save_panels(frame, result, output);
    results_.push_back(std::move(one));
  }

  void save_picture(const std::string& name, const FrameView& frame, const ModelOutput& result,
                    const fs::path& wanted) {
    const auto most = args_.get<std::size_t>("n_samples");
    if (most > 0 && results_.size() >= most) return;
    const fs::path file =
        fs::path(args_.get<std::string>("gallery")) / picture_names_.take(wanted).concat(".png");
    fs::create_directories(file.parent_path());
    write_png(file, picture_.draw(frame, result, kind_by_folder(name)));
  }

  /// The line on the console, and the object of --json.
  nlohmann::json report(const std::string& name, const OverlayInput& result) const {
    nlohmann::json regions = nlohmann::json::array();
    for (const Region& region : result.regions) regions.push_back(to_json(region));
    if (args_.text("json") != "-") {
      fmt::print("{:<8} {:.4f}  {:.6g}  {} regions  {}\n", to_string(result.verdict),
                 result.normalised_score, result.score, regions.size(), name);
    }
    return {{"path", name},
            {"score", result.score},
            {"normalised_score", result.normalised_score},
            {"verdict", to_string(result.verdict)},
            {"regions", regions},
            {"thresholds", to_json(stored_)}};
  }

  nlohmann::json save_maps(const FrameView& frame, const OverlayInput& result,
                           const fs::path& wanted) {
    const fs::path output = names_.take(wanted);
    const fs::path base = fs::path(args_.get<std::string>("save_maps")) / output;
    fs::create_directories(base.parent_path());
    const StoredMap map{
        output.string() + ".npy", {result.map->width, result.map->height}, result.placement};
    write_npy(base.string() + ".npy", *result.map);
    const Image rgb = to_rgb(frame, {0, 0, frame.width, frame.height});
    write_png(base.string() + "_heatmap.png", painted(rgb, result));
    return to_json(map);
  }

  void save_panels(const FrameView& frame, const ModelOutput& result, const fs::path& wanted) {
    const std::string name = panel_names_.take(wanted).string() + "_predict.png";
    const fs::path file = fs::path(args_.get<std::string>("save_path")) / name;
    fs::create_directories(file.parent_path());
    const Image rgb = to_rgb(frame, {0, 0, frame.width, frame.height});
    write_png(file, draw_result({rgb, result.map, result.placement, thresholds_.map}));
  }

  const Arguments& args_;
  ModelPtr model_;
  TilePreprocessor preprocessor_;
  StoredThresholds stored_;  // the model's scales and what is judged with
  Thresholds thresholds_;
  PredictionPicture picture_;
  MapNames names_;
  MapNames picture_names_;
  MapNames panel_names_;
  nlohmann::json results_ = nlohmann::json::array();
  bool rejected_ = false;
};

}  // namespace

int run_predict(const Args& args) {
  Arguments arguments = parse_arguments(predict_syntax(), args);
  for (const std::string& text : arguments.notes) note(text);
  if (arguments.paths.empty() && arguments.has("img_path")) {
    arguments.paths = {arguments.get<std::string>("img_path")};
  }
  if (arguments.paths.empty()) throw UsageError("PATH is missing: an image, a folder or a video.");
  if (!arguments.has("model")) {
    throw UsageError("--model is missing: a .uad file made by uad train.");
  }
  const std::vector<Input> inputs = list_inputs(arguments.paths);
  use_threads(arguments.get<int>("threads"));
  Predictor predictor(arguments,
                      load_model(arguments.get<std::string>("model"), models::method_table(),
                                 execution_options(arguments), {}, std::stop_token()));
  ProgressBar bar;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    predictor.predict(inputs[i]);
    bar.update(static_cast<double>(i + 1) / static_cast<double>(inputs.size()), "images");
  }
  if (arguments.has("json")) write_json(arguments.get<std::string>("json"), predictor.results());
  return predictor.rejected() && arguments.get<bool>("fail_on_reject") ? 3 : 0;
}

}  // namespace uad::tools

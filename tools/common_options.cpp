// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/common_options.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data/dataset.h"
#include "core/data/image_source.h"
#include "core/data/part.h"
#include "tools/console.h"
#include "tools/video_source.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::array kTextures{"carpet", "grid", "leather", "tile", "wood"};
constexpr std::array kObjects{"bottle", "cable", "capsule",    "hazelnut",   "metal_nut",
                              "pill",   "screw", "toothbrush", "transistor", "zipper"};

bool is_group(const std::string& category) {
  return category == "all" || category == "textures" || category == "objects";
}

/// The categories of a group that are there; for `all`, those of the user's own follow.
std::vector<std::string> group_members(const std::string& group, const fs::path& root) {
  std::vector<std::string> wanted;
  if (group != "objects") wanted.insert(wanted.end(), kTextures.begin(), kTextures.end());
  if (group != "textures") wanted.insert(wanted.end(), kObjects.begin(), kObjects.end());
  std::erase_if(wanted, [&](const std::string& name) { return !fs::is_directory(root / name); });
  if (group != "all") return wanted;
  std::vector<std::string> own;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::find(wanted, name) == wanted.end() && is_labelled_set(entry.path())) {
      own.push_back(name);
    }
  }
  std::ranges::sort(own);
  wanted.insert(wanted.end(), own.begin(), own.end());
  return wanted;
}

std::string name_of(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return whole.has_filename() ? whole.stem().string() : whole.parent_path().filename().string();
}

/// Listed once a run, so that what is odd about a set is told once. @note One thread.
const Dataset& listed(const fs::path& path) {
  static std::map<fs::path, Dataset> known;
  const auto found = known.find(path);
  return found != known.end() ? found->second
                              : known.emplace(path, list_dataset(path)).first->second;
}

std::vector<ImageItem> items_of(const Dataset& data, Split split) {
  switch (split) {
    case Split::kTrain:
      return good_of(data.train);
    case Split::kTest:
      return data.test;
    case Split::kLabelledTrain:
      return needs_division(data) ? everything(data) : data.train;
    case Split::kLabelledTest:
      return needs_division(data) ? everything(data) : data.test;
  }
  return {};
}

}  // namespace

std::vector<OptionSpec> execution_specs() {
  return {
      {.name = "device", .default_value = "auto", .help = "auto, cpu, cuda, cuda:N or gpu"},
      {.name = "precision",
       .default_value = "model",
       .help = "arithmetic; model = what the model was calibrated with",
       .choices = {"model", "fp32", "bf16", "fp16", "auto"}},
      {.name = "threads",
       .type = OptionType::kInt,
       .default_value = 0,
       .help = "CPU threads; 0 = one per core",
       .minimum = 0,
       .maximum = 1024},
  };
}

std::vector<OptionSpec> data_specs() {
  return {
      {.name = "data",
       .help = "folder of a data set (MVTec, DAGM 2007, VisA, good/ beside defects), list file, "
               "plain folder of images, or video file",
       .aliases = {"data_path"}},
      {.name = "category",
       .help = "folder below --data; or a group: all, textures, objects",
       .aliases = {"subset"}},
      {.name = "frames", .help = "frames A-B of a video, counted from 0, both included"},
      {.name = "strict",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "unreadable images, missing masks and unexpected counts are errors"},
  };
}

std::vector<OptionSpec> promise_specs() {
  return {
      {.name = "false_reject_rate",
       .type = OptionType::kFloat,
       .help = "promised: at most this share of good parts is rejected, e.g. 0.001"},
      {.name = "confidence",
       .type = OptionType::kFloat,
       .default_value = PromiseTarget().confidence,
       .help = "chance that the promise is kept"},
      {.name = "part_of",
       .default_value = "frame",
       .help = "which frames show one part and count once: frame (each its own), folder (those of "
               "one folder), frames:N (N that follow each other)"},
  };
}

std::vector<OptionSpec> threshold_specs(const std::string& otherwise) {
  const std::string unless = fmt::format(" [{}]", otherwise);
  return {
      {.name = "warn_threshold", .type = OptionType::kFloat, .help = "raw score" + unless},
      {.name = "reject_threshold", .type = OptionType::kFloat, .help = "raw score" + unless},
      {.name = "threshold",
       .type = OptionType::kFloat,
       .help = "where regions begin, on the model's normalised map; 0.5 is the model's" + unless,
       .minimum = 0,
       .maximum = 1},
      {.name = "min_area",
       .type = OptionType::kFloat,
       .help = "smallest region, frame pixels" + unless,
       .minimum = 0},
  };
}

std::vector<OptionSpec> picture_specs() {
  return {
      {.name = "save_pic",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "write a picture of every result: image, heat map, mask, segmentation"},
      {.name = "save_path", .default_value = "output", .help = "folder for these pictures"},
  };
}

std::vector<OptionSpec> ignored_specs() {
  std::vector<OptionSpec> specs;
  for (const char* name :
       {"num_workers", "save_pic", "save_model", "print_freq", "test_batch_size", "eval_pro",
        "eval_threshold_steps", "non_partial_auc", "inc", "einsum", "norm", "compute_pro"}) {
    specs.push_back({.name = name});
  }
  specs[6].aliases = {"eval_threthold_step"};  // QualityInspector's spelling
  return specs;
}

std::vector<OptionSpec> join(std::vector<std::vector<OptionSpec>> lists) {
  std::vector<OptionSpec> result;
  for (std::vector<OptionSpec>& list : lists) {
    for (OptionSpec& spec : list) {
      const bool known = std::ranges::any_of(
          result, [&](const OptionSpec& other) { return other.name == spec.name; });
      if (!known) result.push_back(std::move(spec));
    }
  }
  return result;
}

ExecutionOptions execution_options(const Arguments& args) {
  ExecutionOptions options;
  options.device = args.get<std::string>("device");
  std::ranges::transform(options.device, options.device.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  if (options.device == "gpu") options.device = "cuda";
  if (options.device == "xpu") {
    throw Error(ErrorCode::kNoDevice,
                "Device \"xpu\" is not supported. Set device to auto, cpu or cuda.");
  }
  options.precision = args.get<std::string>("precision");
  options.threads = args.get<int>("threads");
  return options;
}

PromiseTarget promise_target(const Arguments& args) {
  PromiseTarget target;
  if (args.has("false_reject_rate")) target.rate = args.get<double>("false_reject_rate");
  target.confidence = args.get<double>("confidence");
  try {
    static_cast<void>(samples_needed(target));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return target;
}

PartRule part_rule(const Arguments& args) {
  try {
    return parse_part_rule(args.get<std::string>("part_of"), "part-of");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void warn_of_near_copies(const fs::path& data, const PartRule& rule) {
  if (!is_video(data) || rule.kind != PartRule::Kind::kFrame) return;
  note(
      "WARNING: neighbouring frames of a video show the same part, but each counts as a sample "
      "here. Say --part-of frames:N with the number of frames of one part.");
}

ThresholdWish threshold_wish(const Arguments& args) {
  const auto number = [&](const char* key) {
    return args.has(key) ? args.get<double>(key) : std::nan("");
  };
  return {number("warn_threshold"), number("reject_threshold"), number("threshold"),
          number("min_area")};
}

void announce(const Arguments& args, const std::vector<std::string>& heeded) {
  for (const std::string& text : args.notes) note(text);
  nlohmann::json shown = args.options;
  for (const OptionSpec& spec : ignored_specs()) {
    if (std::ranges::find(heeded, spec.name) != heeded.end()) continue;
    if (args.options.contains(spec.name) && args.has(spec.name)) {
      note(fmt::format("\"{}\" has no effect here.", spec.name));
    }
    shown.erase(spec.name);
  }
  fmt::print(stderr, "configuration:\n{}", to_yaml(shown));
}

std::vector<CategoryData> find_data(const Arguments& args) {
  if (!args.has("data")) {
    throw UsageError("--data is missing: a folder of images or a video file.");
  }
  const fs::path root = args.get<std::string>("data");
  if (!fs::exists(root)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" does not exist. Check --data.", root.string()));
  }
  const std::string category = args.text("category");
  if (category.empty()) return {{name_of(root), root}};
  if (!is_group(category)) {
    // The root may already be the category's folder, as in a script that gives both.
    if (!fs::exists(root / category) && name_of(root) == category) return {{category, root}};
    if (!fs::is_directory(root / category)) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("\"{}\" has no folder \"{}\". Check --data and --category.",
                              root.string(), category));
    }
    return {{category, root / category}};
  }
  std::vector<CategoryData> result;
  for (const std::string& name : group_members(category, root)) {
    result.push_back({name, root / name});
  }
  if (result.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" holds no category of the group \"{}\". Check --data.",
                            root.string(), category));
  }
  return result;
}

bool is_video(const fs::path& path) {
  return fs::is_regular_file(path) && has_video_extension(path);
}

std::unique_ptr<FrameSource> open_split(const fs::path& path, Split split, const Arguments& args) {
  const std::string frames = args.text("frames");
  if (is_video(path)) {
    return std::make_unique<VideoSource>(path, parse_frame_range(frames));
  }
  if (!frames.empty()) {
    throw UsageError(
        fmt::format("--frames is for video files, but \"{}\" is not one.", path.string()));
  }
  const bool strict = args.get<bool>("strict");
  const bool labelled = is_labelled_set(path);
  const Dataset data = args.text("part_of") == "folder" && !labelled ? list_parts(path)
                       : strict                                      ? list_dataset(path, true)
                                                                     : listed(path);
  std::vector<ImageItem> items = labelled ? items_of(data, split) : data.train;
  if (split == Split::kLabelledTrain) require_both_classes(items, path.string());
  if (items.empty()) {
    const bool train = split == Split::kTrain;
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" has no {} images (in the MVTec layout: {}). Check --data.",
                            path.string(), train ? "good training" : "test",
                            train ? "train/good" : "test/<kind>"));
  }
  const bool judged = split == Split::kTest || split == Split::kLabelledTest;
  if (const std::string part = args.text("part"); judged && !part.empty()) {
    items = part_of(items, parse_part(part, "--part"));
  }
  return open_images(std::move(items), {.strict = strict});
}

bool needs_division(const fs::path& path) {
  return is_labelled_set(path) && needs_division(listed(path));
}

bool has_test_images(const fs::path& path, bool labels) {
  if (!is_labelled_set(path)) return false;
  const Dataset& data = listed(path);
  return !data.test.empty() || (labels && needs_division(data));
}

fs::path default_model_path(const std::string& save_path, const std::string& name,
                            const nlohmann::json& options) {
  std::vector<std::string> parts;
  for (const char* key : {"reduction", "backbone", "k"}) {
    const auto value = options.find(key);
    if (value == options.end() || value->is_null()) continue;
    parts.push_back(value->is_number() ? fmt::format("{}", value->get<double>())
                                       : value->get<std::string>());
  }
  return fs::path(save_path) / fmt::format("{}", fmt::join(parts, "_")) / (name + ".uad");
}

}  // namespace uad::tools

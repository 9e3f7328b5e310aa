// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/data_sets.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/base/methods.h"
#include "core/data/image_source.h"
#include "core/data/normal_defect.h"
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

fs::path root_of(const Arguments& args) {
  if (args.has("data")) return args.get<std::string>("data");
  const bool named = args.has("root_data_dir") || args.has("dataset_name");
  if (!named) throw UsageError("--data is missing: a folder of images or a video file.");
  const auto part = [&](const char* key, const char* otherwise) {
    return args.has(key) ? args.get<std::string>(key) : std::string(otherwise);
  };
  return fs::path(part("root_data_dir", "data")) / part("dataset_name", "mura");
}

NormalDefectFolders mura_folders(const Arguments& args) {
  return {args.get<std::string>("train_data"), args.get<std::string>("test_data")};
}

/// Names and paths alone.
std::vector<std::pair<std::string, fs::path>> find_paths(const Arguments& args) {
  const fs::path root = data_root(args);
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
  std::vector<std::pair<std::string, fs::path>> result;
  for (const std::string& name : group_members(category, root)) {
    result.emplace_back(name, root / name);
  }
  if (result.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" holds no category of the group \"{}\". Check --data.",
                            root.string(), category));
  }
  return result;
}

std::vector<ImageItem> items_of(const Dataset& data, Split split) {
  switch (split) {
    case Split::kTrain:
      return good_of(data.train);
    case Split::kTest:
      return data.test;
    case Split::kLabelledTrain:
    case Split::kMaskedTrain:
      return needs_division(data) ? everything(data) : data.train;
    case Split::kLabelledTest:
      return needs_division(data) ? everything(data) : data.test;
  }
  return {};
}

}  // namespace

std::vector<OptionSpec> data_specs() {
  return {
      {.name = "data",
       .help = "folder of a data set (MVTec, DAGM 2007, VisA, good/ beside defects), list file, "
               "plain folder of images, or video file",
       .aliases = {"data_path"}},
      {.name = "category",
       .help = "folder below --data; or a group: all, textures, objects",
       .aliases = {"subset"}},
      {.name = "root_data_dir",
       .help = "where --data is not given: folder of mura sets NAME/train_data/normal … [data]"},
      {.name = "dataset_name", .help = "which of these [mura]"},
      {.name = "train_data",
       .default_value = NormalDefectFolders().train,
       .help = "of a mura set: folder with normal/ to learn from"},
      {.name = "test_data",
       .default_value = NormalDefectFolders().test,
       .help = "of a mura set: folder with normal/ and defect/ to judge by"},
      {.name = "frames", .help = "frames A-B of a video, counted from 0, both included"},
      {.name = "strict",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "unreadable images, missing masks and unexpected counts are errors"},
  };
}

fs::path data_root(const Arguments& args) {
  fs::path root = root_of(args);
  if (fs::exists(root)) return root;
  throw Error(ErrorCode::kNotFound,
              fmt::format("\"{}\" does not exist. Check --data.", root.string()));
}

/// What odd things there are about a set is told here, so it is listed once.
CategoryData list_set(std::string name, fs::path path, const Arguments& args) {
  if (is_video(path)) return {std::move(name), std::move(path)};
  CategoryData data{std::move(name), std::move(path)};
  const NormalDefectFolders folders = mura_folders(args);
  if (is_normal_defect(data.path, folders)) {
    data.labelled = true;
    data.images = list_normal_defect(data.path, args.get<bool>("strict"), folders);
    return data;
  }
  data.labelled = is_labelled_set(data.path);
  data.images = args.text("part_of") == "folder" && !data.labelled
                    ? list_parts(data.path)
                    : list_dataset(data.path, args.get<bool>("strict"));
  return data;
}

std::vector<CategoryData> find_data(const Arguments& args) {
  std::vector<CategoryData> result;
  for (auto& [name, path] : find_paths(args)) {
    result.push_back(list_set(std::move(name), std::move(path), args));
  }
  return result;
}

std::unique_ptr<FrameSource> open_judged_on_the_way(const CategoryData& data,
                                                    const Arguments& args) {
  const bool strict = args.get<bool>("strict");
  const std::string name = args.text("eval_data");
  const fs::path inside = data.path / (name.empty() ? "eval_data" : name);
  if (name.empty() && !fs::is_directory(inside)) return nullptr;
  const fs::path folder = fs::exists(inside) ? inside : fs::path(name);
  if (!fs::exists(folder)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Neither \"{}\" nor \"{}\" exists. Check --eval-data.", inside.string(),
                            folder.string()));
  }
  std::vector<ImageItem> items = list_normal_and_defect(folder, strict);
  if (items.empty()) items = everything(list_dataset(folder, strict));
  return open_images(std::move(items), {.strict = strict, .masks = false});
}

void tell_skipped(const std::vector<SkippedFrame>& frames) {
  for (const SkippedFrame& frame : frames) {
    note(fmt::format("skipped \"{}\": {}", frame.name, frame.reason));
  }
}

void tell_left_out(const Evaluation& evaluation) {
  if (evaluation.left_out_seen == 0) return;
  note(fmt::format("left out {} images that the model was trained on, the first \"{}\".",
                   evaluation.left_out_seen, evaluation.seen.front()));
}

bool is_video(const fs::path& path) {
  return fs::is_regular_file(path) && has_video_extension(path);
}

void warn_of_near_copies(const fs::path& data, const PartRule& rule) {
  if (!is_video(data) || rule.kind != PartRule::Kind::kFrame) return;
  note(
      "WARNING: neighbouring frames of a video show the same part, but each counts as a sample "
      "here. Say --part-of frames:N with the number of frames of one part.");
}

bool learns_labels(const std::string& method) {
  const MethodInfo& info = find_method(method);
  return info.needs_labels || info.needs_masks;
}

Split training_split(const std::string& method) {
  if (find_method(method).needs_masks) return Split::kMaskedTrain;
  return learns_labels(method) ? Split::kLabelledTrain : Split::kTrain;
}

Split judged_split(const std::string& method) {
  return learns_labels(method) ? Split::kLabelledTest : Split::kTest;
}

std::vector<ImageItem> split_items(const CategoryData& data, Split split, const Arguments& args) {
  std::vector<ImageItem> items = data.labelled ? items_of(data.images, split) : data.images.train;
  const bool labels = split == Split::kLabelledTrain || split == Split::kMaskedTrain;
  if (labels) require_both_classes(items, data.path.string());
  if (items.empty()) {
    const bool train = split == Split::kTrain;
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" has no {} images (in the MVTec layout: {}). Check --data.",
                            data.path.string(), train ? "good training" : "test",
                            train ? "train/good" : "test/<kind>"));
  }
  for (ImageItem& item : items) {
    if (item.product.empty()) item.product = data.name;
  }
  const bool judged = split == Split::kTest || split == Split::kLabelledTest;
  if (const std::string part = args.text("part"); judged && !part.empty()) {
    items = part_of(items, parse_part(part, "--part"));
  }
  return items;
}

std::unique_ptr<FrameSource> open_split(const CategoryData& data, Split split,
                                        const Arguments& args) {
  const std::string frames = args.text("frames");
  if (is_video(data.path)) {
    return std::make_unique<VideoSource>(data.path, parse_frame_range(frames));
  }
  if (!frames.empty()) {
    throw UsageError(
        fmt::format("--frames is for video files, but \"{}\" is not one.", data.path.string()));
  }
  return open_images(split_items(data, split, args),
                     {.strict = args.get<bool>("strict"), .masks = split != Split::kLabelledTrain});
}

bool has_test_images(const CategoryData& data, bool labels) {
  if (!data.labelled) return false;
  return !data.images.test.empty() || (labels && needs_division(data.images));
}

}  // namespace uad::tools

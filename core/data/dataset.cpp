// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dataset.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/class_folders.h"
#include "core/data/dagm.h"
#include "core/data/image_folder.h"
#include "core/data/list_file.h"
#include "core/data/mvtec.h"
#include "core/data/normal_defect.h"
#include "core/data/visa.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

struct Layout {
  bool (*recognises)(const fs::path& path);
  Dataset (*list)(const fs::path& path, bool strict);
};
constexpr std::array kLayouts{Layout{is_mvtec, list_mvtec},
                              Layout{is_dagm, list_dagm},
                              Layout{is_visa, list_visa},
                              Layout{is_list_file, list_list_file},
                              Layout{is_normal_defect, list_normal_defect},
                              Layout{is_class_folders, list_class_folders}};

const Layout* layout_of(const fs::path& path) {
  const auto* found =
      std::ranges::find_if(kLayouts, [&](const Layout& layout) { return layout.recognises(path); });
  return found == kLayouts.end() ? nullptr : found;
}

/// "a, b, c" for the hint of an error, shortened.
std::string names(const std::vector<fs::path>& folders) {
  std::string text;
  for (std::size_t i = 0; i < folders.size() && i < 8; ++i) {
    text += (i == 0 ? "" : ", ") + folders[i].filename().string();
  }
  return folders.size() > 8 ? text + ", ..." : text;
}

}  // namespace

Dataset list_dataset(const fs::path& path, bool strict) {
  if (const Layout* layout = layout_of(path)) return layout->list(path, strict);
  if (is_folder(path) && images_in(path).empty()) {
    const std::vector<fs::path> inside = folders_in(path);
    if (!inside.empty()) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("'{}' holds neither images nor a folder 'train/good'; name one of "
                              "the folders inside: {}.",
                              path.string(), names(inside)));
    }
  }
  return list_folder(path);
}

bool is_labelled_set(const fs::path& path) { return layout_of(path) != nullptr; }

Dataset list_folder(const fs::path& path) {
  Dataset found{name_of_folder(path), {}, {}};
  if (!is_there(path)) {
    throw Error(ErrorCode::kNotFound, fmt::format("'{}' does not exist.", path.string()));
  }
  if (!is_folder(path)) {
    found.train.push_back({.image = path});
    return found;
  }
  for (const fs::path& file : images_in(path)) found.train.push_back({.image = file});
  if (found.train.empty()) refuse_empty(path);
  return found;
}

Dataset list_parts(const fs::path& root) {
  Dataset found{name_of_folder(root), {}, {}};
  if (!is_there(root)) {
    throw Error(ErrorCode::kNotFound, fmt::format("'{}' does not exist.", root.string()));
  }
  const std::vector<fs::path> parts = is_folder(root) ? folders_in(root) : std::vector<fs::path>();
  if (parts.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("'{}' holds no folder; with one folder a part, put the images of each "
                            "part into a folder of its own.",
                            root.string()));
  }
  for (const fs::path& part : parts) {
    const std::vector<fs::path> images = images_in(part);
    if (images.empty()) refuse_empty(part);
    for (const fs::path& file : images) found.train.push_back({.image = file});
  }
  return found;
}

std::vector<ImageItem> good_of(const std::vector<ImageItem>& items) {
  std::vector<ImageItem> good;
  std::ranges::remove_copy_if(items, std::back_inserter(good), &ImageItem::defective);
  return good;
}

bool needs_division(const Dataset& data) {
  return std::ranges::none_of(data.train, &ImageItem::defective);
}

std::vector<ImageItem> everything(const Dataset& data) {
  std::vector<ImageItem> all = data.train;
  all.insert(all.end(), data.test.begin(), data.test.end());
  return all;
}

void require_both_classes(const std::vector<ImageItem>& items, const std::string& from) {
  const auto defective = std::ranges::count_if(items, &ImageItem::defective);
  const auto good = std::ssize(items) - defective;
  if (good > 0 && defective > 0) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Methods that learn from labels need good and defective images, but '{}' "
                          "has {} good and {} defective ones. Add the missing kind, or use a "
                          "method that learns from good images alone.",
                          from, good, defective));
}

}  // namespace uad

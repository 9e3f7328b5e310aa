// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/class_folders.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/data/image_folder.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> defect_folders(const fs::path& root) {
  std::vector<fs::path> folders = folders_in(root);
  std::erase_if(folders, [](const fs::path& folder) {
    return folder.filename() == "good" || folder.filename() == "ground_truth";
  });
  return folders;
}

}  // namespace

bool is_class_folders(const fs::path& root) {
  if (!is_folder(root / "good")) return false;
  return std::ranges::any_of(defect_folders(root),
                             [](const fs::path& folder) { return !images_in(folder).empty(); });
}

Dataset list_class_folders(const fs::path& root, bool strict) {
  Dataset found{name_of_folder(root), {}, {}};
  for (const fs::path& image : images_in(root / "good")) found.train.push_back({.image = image});
  if (found.train.empty()) refuse_empty(root / "good");
  for (const fs::path& folder : defect_folders(root)) {
    const std::string kind = folder.filename().string();
    const std::vector<fs::path> images = images_in(folder);
    if (images.empty()) complain(strict, fmt::format("'{}' has no image.", folder.string()));
    MaskFolder masks(root / "ground_truth" / kind, "_mask");
    for (const fs::path& image : images) {
      found.test.push_back({image, kind, true, masks.take(image)});
    }
    masks.check_used(strict);
  }
  return found;
}

}  // namespace uad

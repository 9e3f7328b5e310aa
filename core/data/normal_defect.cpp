// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/normal_defect.h"

#include "core/data/image_folder.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNormal = "normal";
constexpr const char* kDefect = "defect";

}  // namespace

bool is_normal_defect(const fs::path& root, const NormalDefectFolders& names) {
  return is_folder(root / names.train / kNormal);
}

bool is_normal_defect(const fs::path& root) {
  return is_normal_defect(root, NormalDefectFolders{});
}

std::vector<ImageItem> list_normal_and_defect(const fs::path& folder, bool strict) {
  std::vector<ImageItem> items;
  if (is_folder(folder / kNormal)) {
    for (const fs::path& image : images_in(folder / kNormal)) items.push_back({.image = image});
  }
  if (!is_folder(folder / kDefect)) return items;
  const fs::path mask_folder = folder / "ground_truth" / kDefect;
  MaskFolder masks(mask_folder, "_mask");
  for (const fs::path& image : images_in(folder / kDefect)) {
    items.push_back({image, kDefect, true, masks.take(image)});
  }
  if (is_folder(mask_folder)) masks.check_used(strict);
  return items;
}

Dataset list_normal_defect(const fs::path& root, bool strict, const NormalDefectFolders& names) {
  Dataset found{name_of_folder(root), {}, {}};
  const fs::path train = root / names.train / kNormal;
  for (const fs::path& image : images_in(train)) found.train.push_back({.image = image});
  if (found.train.empty()) refuse_empty(train);
  found.test = list_normal_and_defect(root / names.test, strict);
  return found;
}

Dataset list_normal_defect(const fs::path& root, bool strict) {
  return list_normal_defect(root, strict, NormalDefectFolders{});
}

}  // namespace uad

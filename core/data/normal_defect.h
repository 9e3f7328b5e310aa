// SPDX-License-Identifier: LGPL-2.1-or-later
// The layout of few-shot mura sets: ROOT/train_data/normal, and ROOT/test_data with the folders
// normal and defect. Source: specification, UF-GAN, section 2.
#pragma once

#include <string>

#include "core/data/dataset.h"

namespace uad {

struct NormalDefectFolders {
  std::string train = "train_data";
  std::string test = "test_data";
};

/// Whether `root` has the folder `normal` of good images to learn from.
bool is_normal_defect(const std::filesystem::path& root, const NormalDefectFolders& names);
bool is_normal_defect(const std::filesystem::path& root);  ///< by the usual names

/// Masks may lie in ROOT/test_data/ground_truth/defect/NAME_mask.png.
/// @throws Error(kNotFound) if the training folder holds no image.
Dataset list_normal_defect(const std::filesystem::path& root, bool strict,
                           const NormalDefectFolders& names);
Dataset list_normal_defect(const std::filesystem::path& root, bool strict);

/// The images of FOLDER/normal and FOLDER/defect; what is not there is empty.
std::vector<ImageItem> list_normal_and_defect(const std::filesystem::path& folder, bool strict);

}  // namespace uad

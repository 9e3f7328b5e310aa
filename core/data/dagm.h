// SPDX-License-Identifier: LGPL-2.1-or-later
// DAGM 2007: ten drawn textures with weak labels, ellipses around the defects.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/dataset.h"

namespace uad {

/// One class of either edition: `Train` or `Test` with `Label` inside; or a folder `ClassN` with
/// `ClassN_def/labels.txt` beside it.
bool is_dagm(const std::filesystem::path& class_folder);

/// Competition edition: a file in `Train` or `Test` is defective exactly when
/// `Label/NNNN_label.PNG` is there; defects are of the kind "defect". `train_list.csv` and
/// `test_list.csv` say which files belong where they are present. Complains of counts of defects
/// that are not the published ones.
///
/// Public edition, which has no division: odd numbers are the training part, even ones the test
/// part; masks are drawn from the ellipses.
/// @throws Error(kNotFound, kBadFile).
Dataset list_dagm(const std::filesystem::path& class_folder, bool strict = false);

/// The text of a list file: one line an image, names without folders.
std::string dagm_list(const std::vector<ImageItem>& items);

/// An upright ellipse turned by `angle`, in image pixels; y points down.
struct Ellipse {
  double semi_x = 0;
  double semi_y = 0;
  double angle = 0;  ///< radians, from x towards y
  double x = 0;      ///< of the centre
  double y = 0;
};

/// One channel; 255 where a pixel's centre lies within.
Image draw_ellipse(const Ellipse& ellipse, int width, int height);

}  // namespace uad

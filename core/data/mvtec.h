// SPDX-License-Identifier: LGPL-2.1-or-later
// The layout of MVTec AD, which VisA has as well once it is reorganised.
#pragma once

#include <filesystem>

#include "core/data/dataset.h"

namespace uad {

/// `train/good` or `test`.
bool is_mvtec(const std::filesystem::path& root);

/// `train/<kind>`, `test/<kind>`, `ground_truth/<kind>`; either of train and test may be absent.
/// Masks are paired by stem, with or without "_mask"; one that a test image and a training image
/// could both claim is the test image's.
/// @throws Error(kNotFound) naming the folder that is missing or holds no image; Error(kBadFile)
/// when `strict`.
Dataset list_mvtec(const std::filesystem::path& root, bool strict = false);

}  // namespace uad

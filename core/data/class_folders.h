// SPDX-License-Identifier: LGPL-2.1-or-later
// Two classes without a division: the folder `good` beside one folder for each kind of defect.
#pragma once

#include <filesystem>

#include "core/data/dataset.h"

namespace uad {

/// `good` and at least one other folder of images beside it (`ground_truth` is none).
bool is_class_folders(const std::filesystem::path& root);

/// Good images are the training part, all others the test part; methods that learn from labels
/// divide the whole (see needs_division()). Masks may lie in `ground_truth/<kind>`.
Dataset list_class_folders(const std::filesystem::path& root, bool strict = false);

}  // namespace uad

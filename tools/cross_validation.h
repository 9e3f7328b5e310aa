// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of uad train that cross-validates.
#pragma once

#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"
#include "core/data/dataset.h"
#include "core/training.h"

namespace uad::tools {

/// Option `n_cv_folds`; 0 = no cross-validation.
[[nodiscard]] OptionSpec folds_option();

/// Prints a line a fold and one for the mean, with a bar meanwhile; Ctrl-C ends it.
/// @return what --json holds under "cross_validation". @throws as cross_validate().
[[nodiscard]] nlohmann::json run_cross_validation(const std::vector<ImageItem>& items,
                                                  std::size_t folds, TrainRequest request,
                                                  bool strict);

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of uad train that cross-validates.
#pragma once

#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"
#include "core/training.h"
#include "tools/data_sets.h"

namespace uad::tools {

/// Option `n_cv_folds`; 0 = no cross-validation.
[[nodiscard]] OptionSpec folds_option();

/// Prints a line a fold and one for the mean, with a bar meanwhile; Ctrl-C ends it.
/// @param data  a labelled set, of which train and test are put together.
/// @return what --json holds under "cross_validation"; null where `folds` is 0.
/// @throws UsageError for a set without labels; what cross_validate() throws.
[[nodiscard]] nlohmann::json run_cross_validation(const CategoryData& data, std::size_t folds,
                                                  TrainRequest request, bool strict);

}  // namespace uad::tools

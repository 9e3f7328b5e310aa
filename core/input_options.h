// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that say how frames become network inputs: the same for `uad train` and uadtrain.
#pragma once

#include <vector>

#include "core/base/backend.h"
#include "core/base/option_spec.h"

namespace uad {

/// resize, keep_aspect, cover, antialias, crop_size, window, stride, roi, mask.
const std::vector<OptionSpec>& input_option_specs();

/// @param values  completed by input_option_specs(), other keys are not looked at.
/// @param otherwise  what is not given, the method's own.
/// @throws Error(kBadOption) for a region that is none; Error(kNotFound, kBadFile) of the mask.
PreprocessOptions read_input_options(const nlohmann::json& values, const InputSpec& otherwise);

}  // namespace uad

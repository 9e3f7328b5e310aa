// SPDX-License-Identifier: LGPL-2.1-or-later
// A model file that goes on learning, for `uad train` and uadtrain alike.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/training.h"

namespace uad {

/// Makes `request` go on from a model file: sets its start, options, input and mask from there.
/// @param request  with method and execution set.
/// @param given  options of method and input as far as somebody asked for them; they may repeat the
/// model's, and change those that concern the fit alone (OptionSpec::of_fit).
/// @throws Error(kBadOption) naming the option that contradicts the model; what loading throws.
void continue_from(const std::filesystem::path& file, const nlohmann::json& given,
                   TrainRequest& request);

}  // namespace uad

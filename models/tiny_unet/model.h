// SPDX-License-Identifier: LGPL-2.1-or-later
// The fitted network behind the interface of all methods.
#pragma once

#include <memory>
#include <string>

#include "core/method.h"

namespace uad::models::tiny_unet {

/// Map: probabilities, see score(); score: the maximum of the merged map.
/// @param parameters  float32, of this variant; kept. @throws Error(kBadOption) on an unknown
/// precision.
[[nodiscard]] std::unique_ptr<AnomalyModel> make_model(const std::string& variant,
                                                       TensorMap parameters,
                                                       const Execution& execution);

/// @throws as read_parameters().
[[nodiscard]] std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in,
                                                       const Execution& execution);

}  // namespace uad::models::tiny_unet

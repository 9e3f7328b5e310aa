// SPDX-License-Identifier: LGPL-2.1-or-later
// A trained student beside its teacher, both frozen.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/anomaly_model.h"
#include "core/method.h"
#include "models/backbones/backbones.h"
#include "models/backbones/resnet.h"

namespace uad::models::stfpm {

/// The ResNet that option `backbone` names. @throws Error(kBadOption).
[[nodiscard]] const ResNetShape& shape_of(const nlohmann::json& options);

/// How many of layer1, layer2, layer3 are needed for these.
[[nodiscard]] int depth_of(const std::vector<LayerInfo>& layers);

/// @param student  weights in torchvision's names; they are kept. @param origin  their file.
/// @throws Error(kBadFile) if they do not fit.
[[nodiscard]] std::unique_ptr<AnomalyModel> make_model(const nlohmann::json& options,
                                                       const FittedBackbone& teacher,
                                                       const TensorMap& student,
                                                       const std::string& origin,
                                                       const Execution& execution);

/// As Method::load.
[[nodiscard]] std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in,
                                                       const Execution& execution);

}  // namespace uad::models::stfpm

// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of VGG-CAM, read once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"

namespace uad::models::vgg_cam {

[[nodiscard]] std::vector<OptionSpec> option_specs();

struct Settings {
  /// @param options  completed by option_specs(). @throws Error(kBadOption).
  explicit Settings(const nlohmann::json& options);

  std::string backbone;
  bool imagenet = false;  ///< normalise by ImageNet's statistics
  std::int64_t epochs = 0;
  std::size_t batch_size = 0;
  double learning_rate = 0;
  double target_accuracy = 0;
  std::array<double, 2> class_weight{};  ///< good, anomaly
  double heat_threshold = 0;

  /// Images on the 0…1 scale as the network wants them.
  [[nodiscard]] at::Tensor normalised(const at::Tensor& images) const;
};

}  // namespace uad::models::vgg_cam

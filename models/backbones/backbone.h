// SPDX-License-Identifier: LGPL-2.1-or-later
// A frozen network that turns images into feature maps.
//
// Conventions: images are float32 [N, 3, H, W], RGB, normalised with ImageNet's mean and standard
// deviation; any H and W, odd ones too. Feature maps are [N, C, h, w], channels-last, finest layer
// first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models {

struct LayerInfo {
  std::string name;
  std::int64_t channels = 0;
  std::int64_t stride = 1;  ///< image pixels per cell; the grid has about H / stride rows
};

/// Channels of all layers together.
[[nodiscard]] inline std::int64_t total_channels(const std::vector<LayerInfo>& layers) {
  std::int64_t sum = 0;
  for (const LayerInfo& layer : layers) sum += layer.channels;
  return sum;
}

/// Immutable. @note Thread-safe.
class Backbone {
 public:
  virtual ~Backbone() = default;
  /// The layers asked for at construction, in that order.
  [[nodiscard]] virtual const std::vector<LayerInfo>& layers() const noexcept = 0;
  /// One feature map per layer, in the backbone's type and on its device. Nothing beyond the
  /// deepest layer is computed.
  [[nodiscard]] virtual std::vector<at::Tensor> features(const at::Tensor& images) const = 0;
  /// Weights under their own names, to be stored in a model file; empty where there are none.
  [[nodiscard]] virtual const TensorMap& weights() const noexcept = 0;
};

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
// MobileNetV2, a light network. Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks" (arXiv 1801.04381); names and shapes of tensors are torchvision's.
#pragma once

#include <optional>

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

/// "layer1" is torchvision's features.3, "layer2" features.6, "layer3" features.13, "layer4"
/// features.17: the last one at each stride. They have no activation, so values may be negative.
[[nodiscard]] std::vector<LayerInfo> mobilenet_v2_layers();

class MobileNetV2 final : public Backbone {
 public:
  /// Arguments and errors as those of ResNet.
  MobileNetV2(const TensorMap& weights, const std::string& origin, std::vector<LayerInfo> layers,
              at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  struct Block {
    std::optional<FusedConv> expand;
    FusedConv depthwise;
    FusedConv project;
    bool residual = false;
    std::string layer;  // that ends here; "" = none
  };
  [[nodiscard]] static at::Tensor run(const Block& block, const at::Tensor& x);

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  FusedConv stem_;
  std::vector<Block> blocks_;
};

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
// VGG16 without batch norm. Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for
// Large-Scale Image Recognition" (arXiv 1409.1556), configuration D; names and shapes of tensors
// are torchvision's.
#pragma once

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

/// "layer1" is torchvision's features.15, "layer2" features.22, "layer3" features.29: the last one
/// at each stride.
[[nodiscard]] std::vector<LayerInfo> vgg16_layers();

/// Grids are rounded down: a row less than ceil(H / stride) where H is no multiple of it.
class Vgg16 final : public Backbone {
 public:
  /// Arguments and errors as those of ResNet.
  Vgg16(const TensorMap& weights, const std::string& origin, std::vector<LayerInfo> layers,
        at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  struct Stage {
    std::vector<FusedConv> convs;
    std::string layer;  // that ends here; "" = none
  };

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  std::vector<Stage> stages_;
};

}  // namespace uad::models

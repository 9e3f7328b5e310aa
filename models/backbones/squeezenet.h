// SPDX-License-Identifier: LGPL-2.1-or-later
// SqueezeNet 1.1, a light network. Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with
// 50x fewer parameters" (arXiv 1602.07360); names and shapes of tensors are torchvision's.
#pragma once

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

/// "layer1" is torchvision's features.4, "layer2" features.7, "layer3" features.12: the last one
/// at each stride.
[[nodiscard]] std::vector<LayerInfo> squeezenet_layers();

/// Its first convolution is not padded, so that grids are a cell smaller than ceil(H / stride).
class SqueezeNet final : public Backbone {
 public:
  /// Arguments and errors as those of ResNet.
  SqueezeNet(const TensorMap& weights, const std::string& origin, std::vector<LayerInfo> layers,
             at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  struct Fire {
    FusedConv squeeze;
    FusedConv expand1;
    FusedConv expand3;
  };
  struct Stage {
    std::string name;
    std::vector<Fire> fires;
  };

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  FusedConv stem_;
  std::vector<Stage> stages_;
};

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
// ResNet-18 up to layer 3. Source: He et al., "Deep Residual Learning for Image Recognition"
// (arXiv 1512.03385); names and shapes of tensors are torchvision's.
#pragma once

#include <optional>

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

/// What torchvision calls layer1, layer2, layer3.
[[nodiscard]] std::vector<LayerInfo> resnet18_layers();

class ResNet18 final : public Backbone {
 public:
  /// @param weights  a torchvision state dict: every tensor up to the deepest layer must be there,
  /// others are ignored. @param origin  file it came from, for errors.
  /// @throws Error(kBadFile) naming the tensor, expected and found shape.
  ResNet18(const TensorMap& weights, const std::string& origin, std::vector<LayerInfo> layers,
           at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  struct Block {
    FusedConv first;
    FusedConv second;
    std::optional<FusedConv> downsample;  // where the shape changes
  };
  struct Stage {
    std::string name;
    std::vector<Block> blocks;
  };
  [[nodiscard]] static at::Tensor run(const Block& block, at::Tensor x);

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  FusedConv stem_;
  std::vector<Stage> stages_;
};

}  // namespace uad::models

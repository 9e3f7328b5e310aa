// SPDX-License-Identifier: LGPL-2.1-or-later
// ResNets up to layer 3. Source: He et al., "Deep Residual Learning for Image Recognition" (arXiv
// 1512.03385), and Zagoruyko and Komodakis, "Wide Residual Networks" (arXiv 1605.07146); names and
// shapes of tensors are torchvision's.
#pragma once

#include <array>
#include <optional>

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

class WeightTaker;

/// What tells one ResNet from another.
struct ResNetShape {
  std::string name;
  std::array<int, 3> blocks;  ///< of layer1, layer2, layer3
  bool bottleneck = false;    ///< blocks of 1x1, 3x3, 1x1 instead of two 3x3 convolutions
  int widening = 1;           ///< of the 3x3 convolutions in a bottleneck
};

/// resnet18, resnet34, resnet50, resnet101, wide_resnet50_2.
[[nodiscard]] const std::vector<ResNetShape>& resnet_shapes();

/// What torchvision calls layer1, layer2, layer3.
[[nodiscard]] std::vector<LayerInfo> resnet_layers(const ResNetShape& shape);

class ResNet final : public Backbone {
 public:
  /// @param weights  a torchvision state dict: every tensor up to the deepest layer must be there,
  /// layer4 and the classifier are ignored. @param origin  file it came from, for errors.
  /// @throws Error(kBadFile) naming the tensor, expected and found shape.
  ResNet(const ResNetShape& shape, const TensorMap& weights, const std::string& origin,
         std::vector<LayerInfo> layers, at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  struct Block {
    std::vector<FusedConv> convs;         // the last one adds the residual
    std::optional<FusedConv> downsample;  // where the shape changes
  };
  struct Stage {
    std::string name;
    std::vector<Block> blocks;
  };
  static Block make_block(const ResNetShape& shape, WeightTaker& take, const std::string& prefix,
                          std::int64_t in, std::int64_t out, std::int64_t stride);
  [[nodiscard]] static at::Tensor run(const Block& block, at::Tensor x);

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  FusedConv stem_;
  std::vector<Stage> stages_;
};

}  // namespace uad::models

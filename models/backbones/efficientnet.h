// SPDX-License-Identifier: LGPL-2.1-or-later
// EfficientNets up to their last layer at stride 16. Source: Tan and Le, "EfficientNet: Rethinking
// Model Scaling for Convolutional Neural Networks" (arXiv 1905.11946); names and shapes of tensors
// are torchvision's.
#pragma once

#include <optional>

#include "core/exec/fused_conv.h"
#include "models/backbones/backbone.h"

namespace uad::models {

struct EfficientNetShape {
  std::string name;
  double width = 1;      ///< channels, as a multiple of B0's
  double depth = 1;      ///< blocks of each stage, the same
  double bn_eps = 1e-5;  ///< that torchvision's weights were trained with
};

/// efficientnet_b0 … efficientnet_b6.
[[nodiscard]] const std::vector<EfficientNetShape>& efficientnet_shapes();

/// "layer1" is torchvision's features.1 (stride 2, a step finer than in other backbones), "layer2"
/// features.2, "layer3" features.3, "layer4" features.5: the last block at each stride. They have
/// no activation, so values may be negative.
[[nodiscard]] std::vector<LayerInfo> efficientnet_layers(const EfficientNetShape& shape);

/// Two families of trained weights differ in this.
struct EfficientNetOptions {
  enum class Padding {
    kSymmetric,  ///< torchvision's
    /// TensorFlow's for images of 380x380, B4's, whatever the size: 3x3 kernels of stride 2 have no
    /// zeros before and one after, so grids are rounded down: floor(H / 2) rows.
    kTf380
  };
  Padding padding = Padding::kSymmetric;
  double bn_eps = 1e-5;
};

class EfficientNet final : public Backbone {
 public:
  using Options = EfficientNetOptions;

  /// Arguments and errors as those of ResNet.
  EfficientNet(const EfficientNetShape& shape, Options options, const TensorMap& weights,
               const std::string& origin, std::vector<LayerInfo> layers, at::TensorOptions place);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return weights_; }

 private:
  // A convolution whose input gets this many more zeros at the bottom and on the right.
  struct Padded {
    FusedConv conv;
    std::int64_t extra = 0;
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    std::optional<FusedConv> expand;
    Padded depthwise;
    FusedConv squeeze;
    FusedConv excite;
    FusedConv project;
    bool residual = false;
    std::string layer;  // that ends here; "" = none
  };
  [[nodiscard]] static at::Tensor run(const Block& block, const at::Tensor& x);

  std::vector<LayerInfo> layers_;
  at::TensorOptions place_;
  TensorMap weights_;
  Padded stem_;
  std::vector<Block> blocks_;
};

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
// ResNets up to a layer as modules whose weights can be trained; resnet.h has the frozen ones,
// which run several times faster. Names and shapes of tensors are torchvision's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "models/backbones/resnet.h"

namespace uad::models {

/// Batch norm normalises by the batch while training, and by running statistics (momentum 0.1,
/// eps 1e-5) otherwise. @note One thread.
class TrainableResNet {
 public:
  /// Random weights: convolutions Kaiming normal over fan-out, batch norm weight 1 and bias 0.
  /// @param layers  how many of layer1, layer2, layer3: 1 … 3.
  /// @param device  where they are and stay; the weights do not depend on it.
  TrainableResNet(const ResNetShape& shape, int layers, std::uint64_t seed,
                  c10::Device device = c10::kCPU);
  ~TrainableResNet();
  TrainableResNet(TrainableResNet&&) noexcept;

  /// @param images  [N, 3, H, W] on any device. @param training  see above.
  /// @return layer1 … , each [N, C, H / 4, W / 4] and then half the size.
  [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& images, bool training);
  /// Trained by an optimiser: all weights and biases, always in the same order.
  [[nodiscard]] std::vector<at::Tensor> parameters();
  /// Parameters and running statistics by torchvision's names, sharing their storage.
  [[nodiscard]] TensorMap state();
  /// Puts weights of these names into place. @throws Error(kBadFile) naming the tensor if one is
  /// missing or has another shape.
  void load(const TensorMap& weights, const std::string& origin);

 private:
  struct Network;
  std::unique_ptr<Network> network_;
};

}  // namespace uad::models

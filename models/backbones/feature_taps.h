// SPDX-License-Identifier: LGPL-2.1-or-later
// Gathers the layers that were asked for while a network runs through all of its parts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/backbones/backbone.h"

namespace uad::models {

class FeatureTaps {
 public:
  /// @param layers  asked for; borrowed.
  explicit FeatureTaps(const std::vector<LayerInfo>& layers)
      : layers_(layers), features_(layers.size()) {}

  /// @param layer  that ends here, "" = none; @param x  its output.
  void after(const std::string& layer, const at::Tensor& x) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].name == layer) features_[i] = x;
    }
  }
  /// In the order that they were asked for.
  [[nodiscard]] std::vector<at::Tensor> take() { return std::move(features_); }

 private:
  const std::vector<LayerInfo>& layers_;
  std::vector<at::Tensor> features_;
};

/// @param blocks  each has the `layer` that ends with it. @param x  what the first one gets.
/// @param run  a block and its input to its output.
template <class Blocks, class Run>
[[nodiscard]] std::vector<at::Tensor> features_of_blocks(const std::vector<LayerInfo>& layers,
                                                         const Blocks& blocks, at::Tensor x,
                                                         const Run& run) {
  FeatureTaps taps(layers);
  for (const auto& block : blocks) {
    x = run(block, x);
    taps.after(block.layer, x);
  }
  return taps.take();
}

}  // namespace uad::models

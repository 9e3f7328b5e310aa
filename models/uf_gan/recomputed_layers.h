// SPDX-License-Identifier: LGPL-2.1-or-later
// Layers for training in little memory: parts of a network are run again for the backward pass.
#pragma once

#include <string>
#include <vector>

#include "models/uf_gan/layers.h"

namespace uad::models::uf_gan {

/// As PlainLayers, with the same values and gradients. Borrows the weights.
/// @note Not thread-safe in a training pass.
class RecomputedLayers final : public PlainLayers {
 public:
  /// @param mixed  see MixedPrecision; parts are run in it whenever they are run.
  RecomputedLayers(const TensorMap& weights, Pass pass, bool mixed)
      : PlainLayers(weights, pass), mixed_(mixed) {}
  [[nodiscard]] std::vector<at::Tensor> part(const std::string& prefix,
                                             const std::vector<at::Tensor>& inputs,
                                             const Part& run) const override;

 private:
  bool mixed_;
};

}  // namespace uad::models::uf_gan

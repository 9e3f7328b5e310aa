// SPDX-License-Identifier: LGPL-2.1-or-later
// Centred RMSProp with momentum, in the arithmetic of TensorFlow. Source: specification, TinyUNet,
// section 6.
//
// torch::optim::RMSprop computes something else: its mean square begins at 0 instead of 1, which
// makes the first steps three times as long, epsilon stands outside of the root, and the learning
// rate outside of the momentum, so that a change of it also changes steps that were taken before.
#pragma once

#include <vector>

#include "core/gradient/optimiser.h"

namespace uad::models::tiny_unet {

/// For every element, with the gradient g and the state ms (from 1), mg and step (from 0):
///   ms ← decay ms + (1 - decay) g²     mg ← decay mg + (1 - decay) g
///   step ← momentum step + rate g / √(ms - mg² + epsilon)     w ← w - step
class RmsProp final : public Optimiser {
 public:
  struct Options {
    double decay = 0.9;     ///< of the two averages
    double momentum = 0.8;  ///< share of the last step in the next
    double epsilon = 1e-10;
    double weight_decay = 0;  ///< factor of ½ Σ w² in the loss; its gradient is added here
  };
  /// @param parameters  float32, contiguous.
  RmsProp(std::vector<at::Tensor> parameters, const Options& options);
  void step(double learning_rate) override;
  [[nodiscard]] TensorMap state() override;

 private:
  void update_fused(std::size_t i, double learning_rate);
  void update_plain(std::size_t i, double learning_rate);

  Options options_;
  std::vector<at::Tensor> mean_square_;  // of each parameter, as the two below
  std::vector<at::Tensor> mean_;
  std::vector<at::Tensor> step_;
};

}  // namespace uad::models::tiny_unet

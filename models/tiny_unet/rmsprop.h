// SPDX-License-Identifier: LGPL-2.1-or-later
// Centred RMSProp with momentum, in the arithmetic of TensorFlow. Source: specification, TinyUNet,
// section 6.
//
// torch::optim::RMSprop computes something else: its mean square begins at 0 instead of 1, which
// makes the first steps three times as long, epsilon stands outside of the root, and the learning
// rate outside of the momentum, so that a change of it also changes steps that were taken before.
#pragma once

#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace uad::models::tiny_unet {

struct RmsPropOptions {
  double decay = 0.9;     ///< of the two averages
  double momentum = 0.8;  ///< share of the last step in the next
  double epsilon = 1e-10;
  double weight_decay = 0;  ///< factor of ½ Σ w² in the loss; its gradient is added here
};

/// For every element, with the gradient g and the state ms (from 1), mg and step (from 0):
///   ms ← decay ms + (1 - decay) g²     mg ← decay mg + (1 - decay) g
///   step ← momentum step + rate g / √(ms - mg² + epsilon)     w ← w - step
/// One thread.
class RmsProp {
 public:
  /// @param parameters  float32, contiguous; changed in place.
  RmsProp(const TensorMap& parameters, const RmsPropOptions& options);

  /// One update from the gradients that backward() left, which are given back.
  void step(double learning_rate);

  /// "mean_square.NAME", "mean.NAME" and "step.NAME", shared: copying into them restores.
  [[nodiscard]] TensorMap state() const;

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor mean_square;
    at::Tensor mean;
    at::Tensor step;
  };
  void update_fused(Slot& slot, const at::Tensor& gradient, double learning_rate) const;
  void update_plain(Slot& slot, const at::Tensor& gradient, double learning_rate) const;

  RmsPropOptions options_;
  std::vector<Slot> slots_;
};

}  // namespace uad::models::tiny_unet

// SPDX-License-Identifier: LGPL-2.1-or-later
// The trained network as it looks at frames: weights laid out once, ReLU inside the convolutions,
// channels-last.
#pragma once

#include <string>
#include <vector>

#include <c10/core/TensorOptions.h>

#include "core/checkpoint.h"
#include "core/exec/fused_conv.h"

namespace uad::models::tiny_unet {

/// Immutable. @note Thread-safe.
class FrozenNetwork {
 public:
  /// Copies the parameters. @param place  type and device to compute in.
  FrozenNetwork(const std::string& variant, const TensorMap& parameters, at::TensorOptions place);

  /// @param images  float32 [N, C, H, W], of which the grey() image is looked at.
  /// @return float32 [N, 1, H, W]. @throws as forward().
  [[nodiscard]] at::Tensor logits(const at::Tensor& images) const;

 private:
  at::TensorOptions place_;
  std::vector<FusedConv> convolutions_;
};

}  // namespace uad::models::tiny_unet

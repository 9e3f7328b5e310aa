// SPDX-License-Identifier: LGPL-2.1-or-later
// The few layers that both networks are made of, over named tensors.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::uf_gan {

/// How batch norm works in a pass.
enum class Pass {
  kTraining,  ///< by the batch, and the running statistics follow it
  kInference  ///< by the running statistics
};

inline constexpr double kMomentum = 0.01;  ///< as published

/// The layers of one pass. Borrows the weights. @note Not thread-safe in a training pass.
class Layers {
 public:
  /// @param momentum  weight of the batch in the running statistics.
  Layers(const TensorMap& weights, Pass pass, double momentum = kMomentum)
      : weights_(weights), pass_(pass), momentum_(momentum) {}

  /// Zeros around: `padding` on each side.
  [[nodiscard]] at::Tensor conv(const at::Tensor& x, const std::string& name, std::int64_t stride,
                                std::int64_t padding, std::int64_t groups = 1) const;
  /// Same size; an even kernel has one zero less before than after, as in TensorFlow.
  [[nodiscard]] at::Tensor conv_same(const at::Tensor& x, const std::string& name) const;
  /// Half the size for a kernel of 5 and even sides: one zero before, two after.
  [[nodiscard]] at::Tensor conv_half(const at::Tensor& x, const std::string& name,
                                     std::int64_t groups) const;
  /// Twice the size, kernel 4.
  [[nodiscard]] at::Tensor conv_transposed(const at::Tensor& x, const std::string& name) const;
  /// The scale is 1 where there is none.
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const std::string& name, double epsilon) const;

 private:
  [[nodiscard]] const at::Tensor& weight(const std::string& name) const;
  [[nodiscard]] at::Tensor bias(const std::string& name) const;  // undefined = none

  const TensorMap& weights_;
  Pass pass_;
  double momentum_;
};

}  // namespace uad::models::uf_gan

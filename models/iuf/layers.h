// SPDX-License-Identifier: LGPL-2.1-or-later
// The two layers that everything is made of, over named tensors.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::iuf {

inline constexpr double kNormEpsilon = 1e-5;  ///< of all norms

/// @param x  [..., in]. @return [..., out].
[[nodiscard]] at::Tensor linear(const TensorMap& weights, const std::string& name,
                                const at::Tensor& x);
/// Over the last dimension.
[[nodiscard]] at::Tensor layer_norm(const TensorMap& weights, const std::string& name,
                                    const at::Tensor& x);

}  // namespace uad::models::iuf

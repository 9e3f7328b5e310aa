// SPDX-License-Identifier: LGPL-2.1-or-later
// What training makes small.
#pragma once

#include <ATen/core/Tensor.h>

namespace uad::models::vgg_cam {

/// Mean cross-entropy in which each image counts as much as its class: Σ w l / Σ w.
/// @param scores  float32 [N, 2]. @param labels  int64 [N], 0 or 1. @param class_weight  float32
/// [2], above 0. @return float32 [].
[[nodiscard]] at::Tensor weighted_cross_entropy(const at::Tensor& scores, const at::Tensor& labels,
                                                const at::Tensor& class_weight);

}  // namespace uad::models::vgg_cam

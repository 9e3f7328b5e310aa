// SPDX-License-Identifier: LGPL-2.1-or-later
// The training objective. Source: specification, TinyUNet, section 5.
//
// Conventions: z = logits, p = probabilities, t = mask on 0 … 1; float32, of one shape, whichever
// it is: sums run over all of it, so a batch has one Dice and not one for each image. Results are
// float32 [] and differentiable. Reentrant.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::tiny_unet {

/// Below this Dice loss the adaptive loss is the Dice loss.
inline constexpr double kAdaptiveSwitch = 0.3;

/// Sørensen: (2 Σpt + 1) / (Σp + Σt + 1). The 1 smooths: empty p and t agree fully.
[[nodiscard]] at::Tensor dice(const at::Tensor& p, const at::Tensor& t);
/// (2 Σpt + 1) / (Σp² + Σt² + 1): what the original calls Jaccard, though it is a Dice as well.
[[nodiscard]] at::Tensor squared_dice(const at::Tensor& p, const at::Tensor& t);
/// Mean binary cross-entropy of p clipped to [1e-7, 1 - 1e-7].
[[nodiscard]] at::Tensor cross_entropy(const at::Tensor& p, const at::Tensor& t);
/// The same from logits, exact where p is 0 or 1 in float32.
[[nodiscard]] at::Tensor cross_entropy_with_logits(const at::Tensor& z, const at::Tensor& t);
/// ½ Σ (p - t)².
[[nodiscard]] at::Tensor half_squared_error(const at::Tensor& p, const at::Tensor& t);

/// Names as in the option `loss_fn_name`:
///   adaptive_loss  1 - dice where that is below kAdaptiveSwitch, otherwise cross-entropy; decided
///                  afresh for every batch
///   dice_sorensen  1 - dice          dice_jaccard  1 - squared_dice
///   x-entropy      cross_entropy     l2_loss       half_squared_error
[[nodiscard]] const std::vector<std::string>& loss_names();

/// @param name  one of loss_names().
[[nodiscard]] at::Tensor loss(const std::string& name, const at::Tensor& z, const at::Tensor& t);

/// ½ Σ w² over weights and biases alike; times the option `weight_decay` it is a part of the loss.
[[nodiscard]] at::Tensor decay_term(const TensorMap& parameters);

}  // namespace uad::models::tiny_unet

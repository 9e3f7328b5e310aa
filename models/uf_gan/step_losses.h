// SPDX-License-Identifier: LGPL-2.1-or-later
// What one step minimises: the losses of both networks over two levels.
// Source: specification, UF-GAN, section 6.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "core/gradient/learner.h"

namespace uad::models::uf_gan {

struct StepLosses {
  at::Tensor generator;
  at::Tensor discriminator;
  Figures figures;  ///< "loss" of the generator, "discriminator_loss", "feature", "reconstruction"
};

/// One graph for both losses: differentiate each by its own network only. The running statistics of
/// `generator` and `discriminator` follow the batch.
/// @param second  the discriminator of the second level, by its running statistics: the same
/// tensors (as published) or a copy without gradients.
/// @param images  float32 [N, 3, S, S], input and target.
/// @param first_level_feature  whether the first level compares the last features, too (published:
/// a term that is always 0).
[[nodiscard]] StepLosses step_losses(const TensorMap& generator, const TensorMap& discriminator,
                                     const TensorMap& second, const at::Tensor& images,
                                     bool first_level_feature);

/// Moves `weights` the share `step` of the way from `before`, all tensors in place.
/// Source: section 7, step 7 (Reptile).
void step_from(const TensorMap& before, double step, const TensorMap& weights);

}  // namespace uad::models::uf_gan

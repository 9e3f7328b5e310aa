// SPDX-License-Identifier: LGPL-2.1-or-later
// What one step minimises: the losses of both networks over two levels.
// Source: specification, UF-GAN, section 6.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"

namespace uad::models::uf_gan {

struct StepLosses {
  at::Tensor generator;
  at::Tensor discriminator;
  Figures figures;  ///< "loss" of the generator, "discriminator_loss", "feature", "reconstruction"
};

struct StepOptions {
  /// The first level compares the last features, too (published: a term that is always 0).
  bool first_level_feature = false;
  bool mixed = false;      ///< see MixedPrecision
  bool recompute = false;  ///< see RecomputedLayers
};

/// One graph for both losses, see differentiate(). The running statistics of
/// `generator` and `discriminator` follow the batch.
/// @param second  the discriminator of the second level, by its running statistics: the same
/// tensors (as published) or a copy without gradients.
/// @param images  float32 [N, 3, S, S], input and target.
[[nodiscard]] StepLosses step_losses(const TensorMap& generator, const TensorMap& discriminator,
                                     const TensorMap& second, const at::Tensor& images,
                                     const StepOptions& options);

/// The gradients of each network by its own loss, from the same state of both; earlier ones go.
void differentiate(const StepLosses& losses, const Optimiser& generator,
                   const Optimiser& discriminator);

/// Moves `weights` the share `step` of the way from `before`, all tensors in place.
/// Source: section 7, step 7 (Reptile).
void step_from(const TensorMap& before, double step, const TensorMap& weights);

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
// Running statistics of the batch norms, averaged anew: those of the training follow so slowly that
// they need hundreds of iterations. Source: specification, UF-GAN, sections 7 and 11.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::uf_gan {

/// Replaces the running statistics of both networks by their mean over a few passes.
/// @param images  float32 [N, 3, S, S], as the networks see them.
/// @param size  the one of their layouts.
void reestimate(const TensorMap& generator, const TensorMap& discriminator, std::int64_t size,
                const at::Tensor& images);

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
// The discriminator: separable convolutions, and for each place the probability that it is real.
// Architecture only. Source: specification, UF-GAN, section 5.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/uf_gan/layers.h"
#include "models/uf_gan/layout.h"

namespace uad::models::uf_gan {

/// @param size  side of the images: four blocks up to 128, five beyond.
[[nodiscard]] Layout discriminator_layout(std::int64_t size);

struct Judgement {
  std::vector<at::Tensor> features;  ///< of each block, [N, size * 2^i, H / 2^(i+1), …]
  at::Tensor probability;            ///< [N, 1, h, w] of the last block, 0 … 1
};

/// @param layers  over tensors of discriminator_layout(). @param size  the one of that layout.
/// @param images  as for generate().
[[nodiscard]] Judgement discriminate(const Layers& layers, std::int64_t size,
                                     const at::Tensor& images);

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
// The generator: a ResNeXt-50 encoder and residual U-Net blocks that draw the input again.
// Architecture only. Source: specification, UF-GAN, section 4.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/uf_gan/layers.h"
#include "models/uf_gan/layout.h"

namespace uad::models::uf_gan {

inline constexpr std::int64_t kSizeUnit = 32;  ///< sides of images are multiples of it

/// @param size  side of the images, which is the width of the decoder, too; a multiple of
/// kSizeUnit.
/// @param kernel  of the decoder's blocks 1 to 4.
[[nodiscard]] Layout generator_layout(std::int64_t size, std::int64_t kernel);

/// @param layers  over tensors of generator_layout(). @param images  float32 [N, 3, H, W], about
/// -1 … 1, sides multiples of kSizeUnit. @return the same shape, in (-1, 1).
[[nodiscard]] at::Tensor generate(const Layers& layers, const at::Tensor& images);

}  // namespace uad::models::uf_gan

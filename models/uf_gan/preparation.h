// SPDX-License-Identifier: LGPL-2.1-or-later
// Contrast enhancement, the same in training and in use.
// Source: specification, UF-GAN, section 3.1.
#pragma once

#include <ATen/core/Tensor.h>

namespace uad::models::uf_gan {

/// 1.1 times the distance from the mean of the whole frame. Being linear, it may come after the
/// resize and the normalisation. Not clipped.
/// @param images  float32 [N, 3, H, W]. @param frame_means  float32 [N], see Tiles.
[[nodiscard]] at::Tensor enhanced(const at::Tensor& images, const at::Tensor& frame_means);

/// Bilinear without antialiasing. @return [N, 3, size, size].
[[nodiscard]] at::Tensor at_size(const at::Tensor& images, std::int64_t size);

}  // namespace uad::models::uf_gan

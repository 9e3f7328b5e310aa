// SPDX-License-Identifier: LGPL-2.1-or-later
// Random changes of the images of a step: mirrored, shifted, zoomed.
// Source: specification, UF-GAN, section 3.5.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::uf_gan {

struct Change {
  bool flip_x = false;
  bool flip_y = false;
  double shift_x = 0;  ///< of the sides, to the right and down
  double shift_y = 0;
  double zoom_x = 1;  ///< below 1 magnifies
  double zoom_y = 1;
};

/// Equal seeds give equal changes.
[[nodiscard]] Change draw_change(std::uint64_t seed);

/// Shift and zoom are two bilinear resamplings; beyond its edge the image is mirrored.
/// @param images  float32 [N, 3, H, W]. @param changes  one for each. @return the same shape.
[[nodiscard]] at::Tensor changed(const at::Tensor& images, const std::vector<Change>& changes);

}  // namespace uad::models::uf_gan

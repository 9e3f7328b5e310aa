// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/preparation.h"

#include <ATen/ATen.h>

namespace uad::models::uf_gan {

at::Tensor enhanced(const at::Tensor& images, const at::Tensor& frame_means) {
  constexpr double kGain = 0.1;
  const at::Tensor means = frame_means.to(images.device()).view({-1, 1, 1, 1});
  return images * (1 + kGain) - means * kGain;
}

at::Tensor at_size(const at::Tensor& images, std::int64_t size) {
  if (images.size(2) == size && images.size(3) == size) return images;
  return at::upsample_bilinear2d(images, {size, size}, /*align_corners=*/false);
}

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/localisation.h"

#include <limits>

#include <ATen/ATen.h>

namespace uad::models::vgg_cam {

at::Tensor class_maps(const at::Tensor& features, const at::Tensor& weight) {
  const at::Tensor kernels = weight.to(at::kFloat).unsqueeze(2).unsqueeze(3);
  return at::conv2d(features.to(at::kFloat), kernels);
}

at::Tensor heat_maps(const at::Tensor& maps, std::int64_t height, std::int64_t width,
                     const at::Tensor& keep) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const at::Tensor large =
      at::upsample_bilinear2d(maps.contiguous(), {height, width}, /*align_corners=*/false);
  at::Tensor low = large;
  at::Tensor high = large;
  if (keep.defined()) {
    const at::Tensor counts = keep.to(at::kBool);
    low = at::where(counts, large, kInfinite);
    high = at::where(counts, large, -kInfinite);
  }
  low = low.amin({2, 3}, /*keepdim=*/true);
  const at::Tensor range = high.amax({2, 3}, /*keepdim=*/true) - low;
  const at::Tensor heat = at::where(range > 0, (large - low) / range, 0.0F);
  return keep.defined() ? at::where(keep.to(at::kBool), heat, 0.0F) : heat;
}

}  // namespace uad::models::vgg_cam

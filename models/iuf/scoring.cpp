// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/scoring.h"

#include <array>

#include <ATen/ATen.h>

namespace uad::models::iuf {

at::Tensor anomaly_map(const at::Tensor& rebuilt, const at::Tensor& features, std::int64_t height,
                       std::int64_t width) {
  const at::Tensor distance = at::linalg_vector_norm(rebuilt - features, 2, {1}, /*keepdim=*/true);
  return at::upsample_bilinear2d(distance, std::array{height, width}, /*align_corners=*/true);
}

at::Tensor pooled_maximum(const at::Tensor& map) {
  constexpr std::int64_t kWindow = 16;
  return at::avg_pool2d(map, kWindow, /*stride=*/1).amax({1, 2, 3});
}

at::Tensor map_mean(const at::Tensor& map) { return map.mean({1, 2, 3}); }

at::Tensor map_deviation(const at::Tensor& map) {
  return map.std(at::IntArrayRef({1, 2, 3}), /*unbiased=*/false);
}

}  // namespace uad::models::iuf

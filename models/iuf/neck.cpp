// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/neck.h"

#include <array>

#include <ATen/ATen.h>

namespace uad::models::iuf {

at::Tensor align_features(const std::vector<at::Tensor>& maps, std::int64_t height,
                          std::int64_t width) {
  const std::array<std::int64_t, 2> size{height, width};
  std::vector<at::Tensor> resized;
  for (const at::Tensor& map : maps) {
    const at::Tensor exact = map.to(at::kFloat);
    resized.push_back(map.size(2) == height && map.size(3) == width
                          ? exact
                          : at::upsample_bilinear2d(exact, size, /*align_corners=*/true));
  }
  return at::cat(resized, 1);
}

at::Tensor as_tokens(const at::Tensor& features) { return features.flatten(2).permute({2, 0, 1}); }

}  // namespace uad::models::iuf

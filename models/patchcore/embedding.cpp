// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/embedding.h"

#include <ATen/ATen.h>

namespace uad::models::patchcore {

Embedding embed(const std::vector<at::Tensor>& features, Upsampling upsampling) {
  const std::int64_t height = features.front().size(2);
  const std::int64_t width = features.front().size(3);
  std::vector<at::Tensor> maps;
  for (const at::Tensor& feature : features) {
    at::Tensor map = at::avg_pool2d(feature.to(at::kFloat), {3, 3}, {1, 1}, {1, 1});
    if (map.size(2) != height || map.size(3) != width) {
      map = upsampling == Upsampling::kNearest
                ? at::upsample_nearest2d(map, {height, width})
                : at::upsample_bilinear2d(map, {height, width}, /*align_corners=*/false);
    }
    maps.push_back(map.permute({0, 2, 3, 1}));
  }
  return {at::cat(maps, 3).flatten(0, 2).contiguous(), height, width};
}

at::Tensor kept_patches(const at::Tensor& keep, std::int64_t height, std::int64_t width) {
  if (!keep.defined()) return {};
  const at::Tensor share = at::adaptive_avg_pool2d(keep.to(at::kFloat), {height, width});
  return (share >= 0.5).flatten();
}

}  // namespace uad::models::patchcore

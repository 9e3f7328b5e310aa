// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/embedding.h"

#include <ATen/ATen.h>

namespace uad::models::patchcore {

namespace {

at::Tensor enlarge(const at::Tensor& map, at::IntArrayRef grid, Upsampling upsampling) {
  if (map.sizes().slice(2) == grid) return map;
  return upsampling == Upsampling::kNearest
             ? at::upsample_nearest2d(map, grid)
             : at::upsample_bilinear2d(map, grid, /*align_corners=*/false);
}

// [N, h, w, n] to [N, h, w, 1024]: each result is the mean of neighbouring numbers.
at::Tensor average_down(const at::Tensor& numbers) {
  const at::Tensor rows = numbers.flatten(0, 2).unsqueeze(1);
  return at::adaptive_avg_pool1d(rows, {kAmazonDimension})
      .view({numbers.size(0), numbers.size(1), numbers.size(2), kAmazonDimension});
}

}  // namespace

Embedding embed_means(const std::vector<at::Tensor>& features, Upsampling upsampling) {
  const at::IntArrayRef grid = features.front().sizes().slice(2);
  std::vector<at::Tensor> maps;
  for (const at::Tensor& feature : features) {
    const at::Tensor means = at::avg_pool2d(feature.to(at::kFloat), {3, 3}, {1, 1}, {1, 1});
    maps.push_back(enlarge(means, grid, upsampling).permute({0, 2, 3, 1}));
  }
  return {at::cat(maps, 3).flatten(0, 2).contiguous(), grid[0], grid[1]};
}

// Averaging and enlarging can change places, so that what is enlarged has 1024 channels, not 9 C.
Embedding embed_neighbourhoods(const std::vector<at::Tensor>& features, Upsampling upsampling) {
  const at::IntArrayRef grid = features.front().sizes().slice(2);
  std::vector<at::Tensor> maps;
  for (const at::Tensor& feature : features) {
    const at::Tensor cells =
        at::im2col(feature.to(at::kFloat).contiguous(), {3, 3}, {1, 1}, {1, 1}, {1, 1});
    const at::Tensor map = average_down(cells.transpose(1, 2).reshape(
        {feature.size(0), feature.size(2), feature.size(3), cells.size(1)}));
    maps.push_back(enlarge(map.permute({0, 3, 1, 2}), grid, upsampling).permute({0, 2, 3, 1}));
  }
  return {average_down(at::cat(maps, 3)).flatten(0, 2).contiguous(), grid[0], grid[1]};
}

}  // namespace uad::models::patchcore

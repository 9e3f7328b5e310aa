// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/patch_map.h"

#include <ATen/ATen.h>

namespace uad {

namespace {

at::Tensor to_tensor(const ScoreMap& map) {
  return at::from_blob(const_cast<float*>(map.values.data()), {map.height, map.width}, at::kFloat)
      .clone();
}

// [h, w] to [H, W].
at::Tensor smooth(const at::Tensor& grid, Size size, MapStyle style) {
  if (style == MapStyle::kAnomalib) {
    const at::Tensor blocks = at::upsample_nearest2d(grid.to(at::kFloat).unsqueeze(0).unsqueeze(0),
                                                     {size.height, size.width});
    return to_tensor(gaussian_blur(to_score_map(blocks[0][0]), 4, Border::kMirrored));
  }
  return to_tensor(gaussian_blur(upsample_bilinear(to_score_map(grid), size)));
}

}  // namespace

at::Tensor kept_patches(const at::Tensor& keep, std::int64_t height, std::int64_t width) {
  if (!keep.defined()) return {};
  return at::adaptive_avg_pool2d(keep.to(at::kFloat), {height, width}).squeeze(1) >= 0.5;
}

at::Tensor anomaly_maps(const at::Tensor& values, const at::Tensor& kept, const Tiles& tiles,
                        MapStyle style) {
  const Size size{static_cast<int>(tiles.images.size(3)), static_cast<int>(tiles.images.size(2))};
  at::Tensor maps = at::empty({values.size(0), 1, size.height, size.width}, at::kFloat);
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    const at::Tensor grid = values[i].to(at::kCPU);
    if (!kept.defined()) {
      maps[i][0] = smooth(grid, size, style);
      continue;
    }
    // Smoothed values over smoothed weights: an ignored patch neither leaks out nor pulls down.
    const at::Tensor weights = kept[i].to(at::kCPU);
    const at::Tensor mean =
        smooth(grid * weights, size, style) / smooth(weights, size, style).clamp_min(1e-6);
    maps[i][0] = at::where(tiles.keep[i][0].to(at::kCPU, at::kBool), mean, 0.0F);
  }
  return maps;
}

ScoreMap to_score_map(const at::Tensor& map) {
  const at::Tensor packed = map.to(at::kFloat).contiguous();
  const float* values = packed.const_data_ptr<float>();
  return {static_cast<int>(packed.size(-1)),
          static_cast<int>(packed.size(-2)),
          {values, values + packed.numel()}};
}

}  // namespace uad

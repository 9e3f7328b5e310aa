// SPDX-License-Identifier: LGPL-2.1-or-later
// From values of patches to an anomaly map: what PaDiM and PatchCore share.
// Source: specification, representation-based detectors, section 4.
#pragma once

#include "core/anomaly_model.h"
#include "core/base/results/score_map.h"

namespace uad {

/// Which patches of an h x w grid count: those with at least half of their pixels kept. Patch y
/// covers the rows floor(y H / h) … ceil((y + 1) H / h) - 1, as adaptive_avg_pool2d divides them.
/// @param keep  uint8 [N, 1, H, W] or undefined. @return bool [N, h, w] or undefined.
[[nodiscard]] at::Tensor kept_patches(const at::Tensor& keep, std::int64_t height,
                                      std::int64_t width);

enum class MapStyle {
  kSmooth,    ///< bilinear; smoothed with edge pixels repeated outside
  kAnomalib,  ///< each patch a block; smoothed with the image mirrored outside
};

/// Patch values enlarged to the images and smoothed (sigma 4).
/// @param values  float32 [N, h, w]. @param kept  of kept_patches(): ignored patches count neither
/// for themselves nor for their neighbours.
/// @return float32 [N, 1, H, W] on the CPU, 0 where `tiles.keep` is.
[[nodiscard]] at::Tensor anomaly_maps(const at::Tensor& values, const at::Tensor& kept,
                                      const Tiles& tiles, MapStyle style = MapStyle::kSmooth);

/// One map out of the tensors.
/// @param map  [h, w] or [1, h, w] on the CPU.
[[nodiscard]] ScoreMap to_score_map(const at::Tensor& map);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the reconstruction fails, and how badly. Source: specification, IUF, sections 5 and 10.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace uad::models::iuf {

/// Distance of both in each cell, enlarged bilinear with corner on corner.
/// @param rebuilt  and @param features  [B, C, h, w]. @return float32 [B, 1, height, width].
[[nodiscard]] at::Tensor anomaly_map(const at::Tensor& rebuilt, const at::Tensor& features,
                                     std::int64_t height, std::int64_t width);

// Three scores of an image. @param map  [B, 1, H, W]. @return [B], higher = more anomalous.

/// Highest mean of a 16x16 window, the project's score.
[[nodiscard]] at::Tensor pooled_maximum(const at::Tensor& map);
[[nodiscard]] at::Tensor map_mean(const at::Tensor& map);
/// Of the population.
[[nodiscard]] at::Tensor map_deviation(const at::Tensor& map);

}  // namespace uad::models::iuf

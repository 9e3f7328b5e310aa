// SPDX-License-Identifier: LGPL-2.1-or-later
// Taps of the backbone on one grid: what the network rebuilds. Source: specification, IUF, section
// 3.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::iuf {

/// Each map is resized, bilinear with corner on corner, and the channels follow one another.
/// @param maps  [B, C_i, h_i, w_i]. @return float32 [B, sum of C_i, height, width].
[[nodiscard]] at::Tensor align_features(const std::vector<at::Tensor>& maps, std::int64_t height,
                                        std::int64_t width);

/// @param features  [B, C, h, w]. @return [h * w, B, C], row by row.
[[nodiscard]] at::Tensor as_tokens(const at::Tensor& features);

}  // namespace uad::models::iuf

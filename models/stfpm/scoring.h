// SPDX-License-Identifier: LGPL-2.1-or-later
// From the distances of the layers to one map. Source: specification, STFPM, section 5.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::stfpm {

/// Each layer enlarged to a common size (bilinear, half-pixel centres), then multiplied.
/// @param distances  float32 [N, h, w] of each layer. @return [N, 1, height, width].
[[nodiscard]] at::Tensor product_map(const std::vector<at::Tensor>& distances, std::int64_t height,
                                     std::int64_t width);

/// The product at a quarter of the image's size, enlarged to the image; there is no blur.
/// @return float32 [N, 1, height, width].
[[nodiscard]] at::Tensor anomaly_map(const std::vector<at::Tensor>& distances, std::int64_t height,
                                     std::int64_t width);

}  // namespace uad::models::stfpm

// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes of one convolution with a square kernel; images lie in memory as [N, H, W, C].
#pragma once

#include <cstdint>

namespace uad::conv {

struct Geometry {
  std::int64_t batch = 1;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< of zeros on every side

  [[nodiscard]] std::int64_t out_height() const {
    return (height + 2 * padding - kernel) / stride + 1;
  }
  [[nodiscard]] std::int64_t out_width() const {
    return (width + 2 * padding - kernel) / stride + 1;
  }
};

}  // namespace uad::conv

// SPDX-License-Identifier: LGPL-2.1-or-later
// 3x3 convolutions of stride 1 with 16 instead of 36 multiplications for four neighbouring outputs.
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308),
// F(2x2, 3x3).
#pragma once

#include "core/exec/conv/geometry.h"
#include "core/exec/conv/tile_product.h"

namespace uad::conv {

/// Immutable. Needs have_tiles(). @note Thread-safe.
class WinogradConv {
 public:
  /// Whether the numbers of channels fit, and are worth the transformations.
  [[nodiscard]] static bool takes(std::int64_t out_channels, std::int64_t channels) {
    return out_channels % kColumns == 0 && channels % 8 == 0 && out_channels >= 32 &&
           channels >= 32;
  }
  /// @param weight  [C_out, C_in, 3, 3], whose sizes takes() accepts.
  WinogradConv(const float* weight, std::int64_t out_channels, std::int64_t channels);
  /// Computes on LibTorch's threads. @param geometry  kernel 3, stride 1, any padding.
  /// @param x  [N, H, W, C_in], @param y  [N, H', W', C_out].
  void run(const Geometry& geometry, const float* x, float* y, const Finish& finish) const;

 private:
  PackedColumns weights_;     // transformed: for each of 16 places [C_out, C_in]
  std::vector<float> zeros_;  // what lies beyond the edge
};

}  // namespace uad::conv

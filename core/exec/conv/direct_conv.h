// SPDX-License-Identifier: LGPL-2.1-or-later
// A convolution as one matrix product whose rows are read where they lie in the image: for every
// output pixel a pointer to each input pixel under the kernel, instead of a copy.
#pragma once

#include <vector>

#include "core/exec/conv/geometry.h"
#include "core/exec/conv/tile_product.h"

namespace uad::conv {

/// Immutable. Needs have_tiles(). @note Thread-safe.
class DirectConv {
 public:
  /// @param weight  [C_out, C_in, k, k].
  DirectConv(const float* weight, std::int64_t out_channels, std::int64_t channels,
             std::int64_t kernel);
  /// Computes on LibTorch's threads. @param x  [N, H, W, C_in], @param y  [N, H', W', C_out].
  void run(const Geometry& geometry, const float* x, float* y, const Finish& finish) const;

 private:
  bool rows_as_taps_;  // few channels: a row of the kernel is one run of memory
  PackedColumns weights_;
  std::vector<float> zeros_;  // what lies beyond the edge
};

}  // namespace uad::conv

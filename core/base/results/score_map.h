// SPDX-License-Identifier: LGPL-2.1-or-later
// A map of anomaly scores, and the smoothing that PaDiM and PatchCore share.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/geometry/geometry.h"

namespace uad {

/// float32 [height, width], row-major and packed; raw units of the method; higher = more anomalous.
struct ScoreMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;

  [[nodiscard]] bool empty() const noexcept { return values.empty(); }
  [[nodiscard]] float at(int y, int x) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
  [[nodiscard]] const float* row(int y) const {
    return values.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
  bool operator==(const ScoreMap&) const = default;
};

/// Bilinear, half-pixel centres, edges repeated (PyTorch's align_corners=false).
ScoreMap upsample_bilinear(const ScoreMap& grid, Size size);

/// What a blur sees outside of the map "abc".
enum class Border {
  kRepeated,  ///< "cba|abc|cba"
  kMirrored,  ///< "cb|abc|ba": the outermost values come once
};

/// Separable Gaussian, radius int(4 sigma + 0.5), kernel of sum 1.
ScoreMap gaussian_blur(const ScoreMap& map, double sigma = 4.0, Border border = Border::kRepeated);

}  // namespace uad

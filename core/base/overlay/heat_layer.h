// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of the overlay that follows the score map: tint and contour.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/overlay/canvas.h"
#include "core/base/results/score_map.h"
#include "core/base/results/verdict.h"

namespace uad {

/// Where a map lies and what its values mean.
struct HeatLayer {
  const ScoreMap& map;
  RectF placement;  ///< frame pixels
  ScoreScale scale;
  double warn = 0;  ///< normalised
};

/// How heat looks on one canvas: colours, or in a grey frame black and white stripes, which are
/// legible on any background and grow stronger with the heat.
class HeatPalette {
 public:
  /// @param colours  from the warn level to the high end.
  HeatPalette(const Canvas& canvas, const std::array<Colour, 256>& colours);
  /// What to paint on the blocks of a row from (block_x, block_y) on.
  /// @param heat  of each block: 0 (warn level) to 255 (high end); below 0: nothing.
  void choose(int block_x, int block_y, std::span<const float> heat, int opacity,
              std::vector<Dab>& dabs) const;

 private:
  std::array<Dab, 256> dabs_;  // opaque
  bool striped_;
  int stripe_;  // blocks
};

/// Tints the blocks at whose centre the map (bilinear between its values) reaches `warn`.
void tint(Canvas& canvas, const HeatLayer& layer, const HeatPalette& palette, int opacity);

/// Draws the line where the map crosses scale.thr; in a grey frame white, with a dark edge where
/// there is room for one.
void draw_contour(Canvas& canvas, const HeatLayer& layer, Colour colour);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of the overlay that follows the score map: tint and contour.
#pragma once

#include <array>

#include "core/base/canvas.h"
#include "core/base/geometry.h"
#include "core/base/score_map.h"
#include "core/base/verdict.h"

namespace uad {

/// Where a map lies and what its values mean.
struct HeatLayer {
  const ScoreMap& map;
  RectF placement;  ///< frame pixels
  ScoreScale scale;
  double warn = 0;  ///< normalised
};

/// Tints the blocks at whose centre the map (bilinear between its values) reaches `warn`.
/// @param colours  from the warn level to the high end.
void tint(Canvas& canvas, const HeatLayer& layer, const std::array<Colour, 256>& colours,
          int opacity);

/// Draws the line where the map crosses scale.thr.
void draw_contour(Canvas& canvas, const HeatLayer& layer);

}  // namespace uad

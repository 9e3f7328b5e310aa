// SPDX-License-Identifier: LGPL-2.1-or-later
// The connected parts of a score map that reach its threshold.
#pragma once

#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/results/score_map.h"

namespace uad {

/// A connected (8-neighbour) part of the map at or above the map's threshold. All in frame pixels,
/// where pixel (x, y) covers [x, x+1) by [y, y+1).
struct Region {
  Rect box;         ///< smallest box of whole frame pixels around it
  double area = 0;  ///< frame pixels
  double centroid_x = 0;
  double centroid_y = 0;
  float max_score = 0;  ///< raw map units
  float mean_score = 0;
  bool operator==(const Region&) const = default;
};

/// Regions in falling order of max_score (ties: top, then left first). NaN belongs to no region.
/// @param placement  where the map lies in the frame.
/// @param min_area   frame pixels; smaller regions are left out. It never changes score or verdict.
std::vector<Region> find_regions(const ScoreMap& map, const RectF& placement, double threshold,
                                 double min_area);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the network inputs of a frame lie, and how their maps become one map again.
#pragma once

#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/geometry/input_spec.h"
#include "core/base/results/score_map.h"

namespace uad {

/// The geometry of one frame, worked out before any pixel is touched.
struct TilePlan {
  Rect source;                 ///< the ROI, in frame pixels
  Size scaled;                 ///< size of the source after the resize
  Rect crop;                   ///< part of the scaled image that is analysed
  Size tile;                   ///< size of every network input
  std::vector<Point> origins;  ///< top-left corners of the tiles inside the crop, row-major
  RectF placement;  ///< the crop, in frame pixels: where the merged map lies in the frame
  bool operator==(const TilePlan&) const = default;
  [[nodiscard]] Size map_size() const noexcept { return {crop.width, crop.height}; }
};

/// Works for every frame size: a ROI is clipped to the frame, a window larger than the crop shrinks
/// to it, and the last row and column of windows are shifted inside.
/// @throws Error(kBadOption) naming the option if the ROI misses the frame, the crop exceeds the
/// resized image, or the stride exceeds the window.
TilePlan plan_tiles(Size frame, const InputSpec& spec);

enum class MergeMode { kHann, kMean, kMax };

/// One map of `plan.map_size()` out of one map per tile (each of `plan.tile`, in the order of
/// `plan.origins`). A constant stays constant to 1e-6; a single tile is returned as it is. Source:
/// design, sliding windows (Hann sampled at (i + 1/2) / n, so no weight is 0).
/// @throws Error(kShapeMismatch) if number or size of the tile maps differ from the plan's.
ScoreMap merge_tiles(const TilePlan& plan, const std::vector<ScoreMap>& tiles,
                     MergeMode mode = MergeMode::kHann);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps of some windows of a frame, merged into the map that the frames before have left.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/geometry/tiling.h"

namespace uad {

/// What the values of one window count along one of its axes.
std::vector<double> axis_weights(int length, MergeMode mode);

/// Pixels under the chosen windows become what merge_tiles() would make of these windows alone;
/// the others stay. So every pixel shows the newest look at it, and with all windows chosen the map
/// is that of merge_tiles(), to the bit.
/// @param chosen  indexes into plan.origins, rising.
/// @param tiles   a map of plan.tile for each of `chosen`.
/// @param merged  of plan.map_size(), unless all are chosen.
/// @throws Error(kShapeMismatch) if these do not fit each other.
void merge_windows(const TilePlan& plan, const std::vector<std::size_t>& chosen,
                   const std::vector<ScoreMap>& tiles, MergeMode mode, ScoreMap& merged);

/// The highest value of the map under one window. @param map  of plan.map_size().
float highest_under(const TilePlan& plan, std::size_t window, const ScoreMap& map);

}  // namespace uad

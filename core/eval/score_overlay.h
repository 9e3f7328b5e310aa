// SPDX-License-Identifier: LGPL-2.1-or-later
// Score maps over their frames, coloured by one scale for a whole evaluation, so that pictures
// compare. Source: specification, IUF, section 10.
#pragma once

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/image.h"
#include "core/base/results/score_map.h"

namespace uad {

struct ScoreRange {
  double low = 0;   ///< and less is blue
  double high = 1;  ///< and more is red
};

/// Smallest and largest value of a map.
[[nodiscard]] ScoreRange range_of(const ScoreMap& map);

struct ScoredPicture {
  const Image& frame;  ///< RGB
  const ScoreMap& map;
  RectF placement;  ///< of the map, in frame pixels
  const Image* truth =
      nullptr;  ///< one channel of the frame's size, non-zero = defect; null = none
};

/// Half the frame, half the colours of the scores: of the frame's size, RGB. Where the map does not
/// reach, the frame alone.
[[nodiscard]] Image draw_overlay(const ScoredPicture& picture, const ScoreRange& range);

/// One below the other: the frame; its truth and, at the end, the overlay by the map's own range,
/// where the truth shows a defect; between them the overlay by `range`.
[[nodiscard]] Image draw_strip(const ScoredPicture& picture, const ScoreRange& range);

}  // namespace uad

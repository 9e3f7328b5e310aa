// SPDX-License-Identifier: LGPL-2.1-or-later
// What a model sees in one image, as a row of panels. Source: specification, representation-based
// detectors, section 7.
#pragma once

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/image.h"
#include "core/base/results/score_map.h"
#include "core/base/results/verdict.h"

namespace uad {

struct ResultPicture {
  const Image& frame;  ///< RGB
  const ScoreMap& map;
  RectF placement;   ///< of the map, in frame pixels
  ScoreScale scale;  ///< of the map; from `thr` on it is a defect
  /// One channel of the frame's size, non-zero = defect; null = not known, and no panel of its own.
  const Image* truth = nullptr;
};

/// RGB: image, ground truth where it is known, heat map (jet, half transparent, with its scale),
/// mask, and the mask's contour in the image. Panels are 256 to 512 pixels on their longer side.
Image draw_result(const ResultPicture& picture);

/// Where the map reaches `threshold`, after a morphological opening with a disk of radius 4: 255,
/// else 0. One channel of the map's size.
Image opened_mask(const ScoreMap& map, double threshold);

}  // namespace uad

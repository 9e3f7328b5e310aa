// SPDX-License-Identifier: LGPL-2.1-or-later
// What a model wants to see: how a frame of any size becomes network inputs.
#pragma once

#include <array>

#include "core/base/geometry/geometry.h"

namespace uad {

/// Order of the steps: ROI, resize, centre crop, sliding windows, normalisation. Stored
/// in the model file; a frame prepared with another InputSpec is refused.
struct InputSpec {
  Rect roi{};             ///< part of the frame that is looked at; empty = all of it
  Size resize{256, 256};  ///< a zero side follows from the aspect ratio; {0,0} = no resize
  bool keep_aspect =
      false;  ///< with both sides of `resize` given: the largest size of the same aspect inside it
  bool cover = false;     ///< the same, but the smallest size around it
  bool antialias = true;  ///< false = bilinear of the four nearest pixels, however much it shrinks
  Size crop{};            ///< centre crop after the resize; {0,0} = none
  Size window{};          ///< sliding window in resized pixels; {0,0} = one tile, the whole crop
  Size stride{};          ///< window step; {0,0} = half a window
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  ///< R, G, B, on the 0…1 scale
  std::array<float, 3> std{0.229F, 0.224F, 0.225F};
  bool operator==(const InputSpec&) const = default;
};

/// Whether tiles cut for one serve the other: all but the ROI, which says where to look, not how.
inline bool same_preparation(InputSpec a, const InputSpec& b) {
  a.roi = b.roi;
  return a == b;
}

/// @throws Error(kShapeMismatch) with both preparations and the fix unless same_preparation().
void require_same_preparation(const InputSpec& model, const InputSpec& tiles);

}  // namespace uad

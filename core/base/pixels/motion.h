// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells from the frames themselves when the scene moves and when another one stands still.
#pragma once

#include <vector>

#include "core/base/pixels/frame_view.h"

namespace uad {

/// A frame as 32 x 24 means of grey, 0…255, less the mean of them all, so that a lamp that flickers
/// changes little. Luma of YUV, green of RGB.
using Thumbnail = std::vector<float>;

/// Looks at 49,152 pixels, whatever the size of the frame.
/// @throws Error(kShapeMismatch) if a plane of the frame is missing.
Thumbnail thumbnail(const FrameView& frame);

/// Mean absolute difference in grey levels; both of the same size.
double difference(const Thumbnail& one, const Thumbnail& other);

enum class Scene {
  kStill,      ///< the same scene as before
  kUnsettled,  ///< it moves, or has moved; what comes of it is not known yet
  kMoving,     ///< it has left what stood still
  kNew         ///< another scene stands still
};

/// A change of one or two frames after which the scene is what it was (a flash, a torn frame) is no
/// movement. One that leaves another scene is, however quick; a longer one is in any case, since
/// two good parts look the same. @note Not thread-safe.
class MotionSensor {
 public:
  /// @param threshold  grey levels; a larger difference of two frames in a row is a change.
  Scene look(const FrameView& frame, double threshold);
  /// Grey levels from the frame before to the last one; 0 = there was none before.
  [[nodiscard]] double change() const noexcept { return change_; }
  /// What comes is the first frame.
  void reset() { *this = {}; }

 private:
  Thumbnail last_;
  double change_ = 0;
  Thumbnail resting_;  // the scene while it was still
  int changed_ = 0;    // frames since then
  int settled_ = 0;    // frames in a row that did not change
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// The demonstration line: a conveyor belt with parts passing a camera.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "core/base/pixels/image.h"
#include "core/demo/part.h"

namespace uad::demo {

struct Shot {
  Image image;  ///< RGB
  Image mask;   ///< one channel, 255 = defect
};

/// Which defect the n-th part on the belt has.
using DefectPlan = std::function<Defect(int)>;

/// Draws what the camera sees at any position of the belt. The same seed, plan, position and view
/// give the same picture. @note One thread.
class ProductionLine {
 public:
  static constexpr int kPitch = 400;  ///< frame pixels from part to part

  ProductionLine(std::uint64_t seed, DefectPlan plan);

  /// @param position  of the belt in frame pixels; at n * kPitch part n is in the middle.
  /// @param exposure  1 = nominal brightness.
  Shot shoot(Size view, int position, double exposure);

 private:
  const Part& part(int index);

  std::uint64_t seed_;
  DefectPlan plan_;
  cv::Mat belt_;  // repeats every kPitch pixels
  std::map<int, Part> parts_;
};

}  // namespace uad::demo

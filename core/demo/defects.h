// SPDX-License-Identifier: LGPL-2.1-or-later
// Scratches, stains and dents for the demonstration line, each with its exact mask.
#pragma once

#include <array>

#include <opencv2/core.hpp>

#include "core/demo/part.h"

namespace uad::demo {

/// What a defect does to the steel. All of the size of the surface.
struct DefectLayers {
  cv::Mat relief;                     ///< float32, added to the grey level
  std::array<cv::Mat, 3> absorption;  ///< float32 0…1, light taken away from R, G, B
  cv::Mat mask;                       ///< uint8, 255 where the defect can be seen
};

/// @param surface  uint8, where the middle of a defect may lie.
DefectLayers make_defect(Defect defect, const cv::Mat& surface, cv::RNG& rng);

}  // namespace uad::demo

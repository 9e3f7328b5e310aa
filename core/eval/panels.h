// SPDX-License-Identifier: LGPL-2.1-or-later
// Small pictures in a row, each under its title.
#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/image.h"

namespace uad {

struct Panel {
  std::string title;
  cv::Mat3b pixels;  ///< red first
  /// What the colours of jet() mean, from the top of a scale beside the panel to its end; empty =
  /// no scale.
  std::vector<std::string> scale = {};
};

/// RGB. @param panels  of one size.
[[nodiscard]] Image side_by_side(const std::vector<Panel>& panels);

/// Red first; 0 … 255 is blue … red.
[[nodiscard]] cv::Mat3b jet(const cv::Mat1b& levels);

/// Where something lies in a panel that shows a frame. @param place  in frame pixels.
[[nodiscard]] cv::Rect placed(const RectF& place, cv::Size frame, cv::Size panel);

/// The pixels of an image, which must outlive them.
[[nodiscard]] cv::Mat as_mat(const Image& image);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/result_picture.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "core/eval/panels.h"

namespace uad {
namespace {

constexpr double kHeatOpacity = 0.5;

cv::Size panel_size(const Image& frame) {
  const int longest = std::max(frame.width, frame.height);
  const double factor = static_cast<double>(std::clamp(longest, 256, 512)) / longest;
  const auto side = [&](int pixels) {
    return std::max(1, static_cast<int>(std::lround(pixels * factor)));
  };
  return {side(frame.width), side(frame.height)};
}

cv::Mat3b in_three_channels(const cv::Mat1b& grey) {
  cv::Mat3b colours;
  cv::cvtColor(grey, colours, cv::COLOR_GRAY2RGB);
  return colours;
}

cv::Mat3b heated(const cv::Mat3b& frame, const ResultPicture& picture, const cv::Rect& place) {
  cv::Mat1b levels(picture.map.height, picture.map.width);
  std::ranges::transform(picture.map.values, levels.begin(), [&](float value) {
    return cv::saturate_cast<std::uint8_t>(255 * picture.scale.normalise(value));
  });
  cv::resize(levels, levels, place.size(), 0, 0, cv::INTER_LINEAR);
  cv::Mat3b result = frame.clone();
  cv::Mat inside = result(place);
  cv::addWeighted(jet(levels), kHeatOpacity, inside, 1 - kHeatOpacity, 0, inside);
  return result;
}

cv::Mat1b mask_panel(const ResultPicture& picture, cv::Size size, const cv::Rect& place) {
  const Image mask = opened_mask(picture.map, picture.scale.thr);
  cv::Mat1b panel(size, 0);
  cv::Mat inside = panel(place);
  cv::resize(as_mat(mask), inside, place.size(), 0, 0, cv::INTER_NEAREST);
  return panel;
}

cv::Mat3b outlined(const cv::Mat3b& frame, const cv::Mat1b& mask) {
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_LIST, cv::CHAIN_APPROX_NONE);
  cv::Mat3b result = frame.clone();
  cv::drawContours(result, contours, -1, {255, 0, 0}, 3);
  return result;
}

}  // namespace

Image opened_mask(const ScoreMap& map, double threshold) {
  constexpr int kRadius = 4;
  cv::Mat1b disk(2 * kRadius + 1, 2 * kRadius + 1);
  for (int y = -kRadius; y <= kRadius; ++y) {
    for (int x = -kRadius; x <= kRadius; ++x) {
      disk(y + kRadius, x + kRadius) = x * x + y * y <= kRadius * kRadius ? 1 : 0;
    }
  }
  Image mask{map.width, map.height, 1, std::vector<std::uint8_t>(map.values.size())};
  std::ranges::transform(map.values, mask.pixels.begin(), [&](float value) {
    return static_cast<std::uint8_t>(value >= threshold ? 255 : 0);
  });
  cv::Mat pixels = as_mat(mask);
  cv::morphologyEx(pixels, pixels, cv::MORPH_OPEN, disk);
  return mask;
}

Image draw_result(const ResultPicture& picture) {
  const cv::Size size = panel_size(picture.frame);
  const cv::Rect place = placed(picture.placement, as_mat(picture.frame).size(), size);
  const bool shrinks = size.width < picture.frame.width;
  cv::Mat3b frame;
  cv::resize(as_mat(picture.frame), frame, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  std::vector<Panel> panels{{"image", frame}};
  if (picture.truth != nullptr) {
    cv::Mat1b truth;
    cv::resize(as_mat(*picture.truth) > 0, truth, size, 0, 0, cv::INTER_NEAREST);
    panels.push_back({"ground truth", in_three_channels(truth)});
  }
  const cv::Mat1b mask = place.empty() ? cv::Mat1b(size, 0) : mask_panel(picture, size, place);
  // 0.5 is where a defect begins
  panels.push_back(
      {"heat map", place.empty() ? frame : heated(frame, picture, place), {"1", "0.5", "0"}});
  panels.push_back({"mask", in_three_channels(mask)});
  panels.push_back({"segmentation", outlined(frame, mask)});
  return side_by_side(panels);
}

}  // namespace uad

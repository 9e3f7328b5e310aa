// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/score_overlay.h"

#include <algorithm>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "core/eval/panels.h"

namespace uad {
namespace {

constexpr double kOpacity = 0.5;

Image to_image(const cv::Mat3b& pixels) {
  const std::uint8_t* bytes = pixels.ptr();
  return {pixels.cols, pixels.rows, 3, {bytes, bytes + pixels.total() * 3}};
}

cv::Mat3b overlay(const ScoredPicture& picture, const ScoreRange& range) {
  cv::Mat3b result = as_mat(picture.frame).clone();
  const cv::Rect place = placed(picture.placement, result.size(), result.size());
  if (place.empty()) return result;
  const double width = range.high - range.low;
  cv::Mat1b levels(picture.map.height, picture.map.width);
  std::ranges::transform(picture.map.values, levels.begin(), [&](float value) {
    const double share = width > 0 ? (value - range.low) / width : 0;
    return cv::saturate_cast<std::uint8_t>(255 * std::clamp(share, 0.0, 1.0));
  });
  cv::resize(levels, levels, place.size(), 0, 0, cv::INTER_LINEAR);
  cv::Mat inside = result(place);
  cv::addWeighted(jet(levels), kOpacity, inside, 1 - kOpacity, 0, inside);
  return result;
}

}  // namespace

ScoreRange range_of(const ScoreMap& map) {
  const auto [low, high] = std::ranges::minmax(map.values);
  return {low, high};
}

Image draw_overlay(const ScoredPicture& picture, const ScoreRange& range) {
  return to_image(overlay(picture, range));
}

Image draw_strip(const ScoredPicture& picture, const ScoreRange& range) {
  std::vector<cv::Mat3b> parts{as_mat(picture.frame), overlay(picture, range)};
  if (picture.truth != nullptr && cv::countNonZero(as_mat(*picture.truth)) > 0) {
    cv::Mat3b truth;
    cv::cvtColor(as_mat(*picture.truth) > 0, truth, cv::COLOR_GRAY2RGB);
    parts.insert(parts.begin() + 1, truth);
    parts.push_back(overlay(picture, range_of(picture.map)));
  }
  cv::Mat3b strip;
  cv::vconcat(parts, strip);
  return to_image(strip);
}

}  // namespace uad

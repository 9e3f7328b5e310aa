// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/regions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <opencv2/imgproc.hpp>

namespace uad {
namespace {

/// Sums over the pixels of one region, in map pixels.
struct Tally {
  int left = std::numeric_limits<int>::max();
  int top = std::numeric_limits<int>::max();
  int right = 0;  // one past the last column
  int bottom = 0;
  double count = 0;
  double sum_x = 0;
  double sum_y = 0;
  double sum = 0;
  float max = -std::numeric_limits<float>::infinity();

  void add(int x, int y, float value) {
    left = std::min(left, x);
    top = std::min(top, y);
    right = std::max(right, x + 1);
    bottom = std::max(bottom, y + 1);
    count += 1;
    sum_x += x + 0.5;
    sum_y += y + 0.5;
    sum += static_cast<double>(value);
    max = std::max(max, value);
  }
};

std::vector<Tally> tally_components(const ScoreMap& map, double threshold) {
  cv::Mat mask(map.height, map.width, CV_8U);
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      mask.at<std::uint8_t>(y, x) = static_cast<double>(map.at(y, x)) >= threshold ? 1 : 0;
    }
  }
  cv::Mat labels;
  const int count = cv::connectedComponents(mask, labels, 8, CV_32S);
  std::vector<Tally> tallies(static_cast<std::size_t>(count));
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      tallies[static_cast<std::size_t>(labels.at<int>(y, x))].add(x, y, map.at(y, x));
    }
  }
  tallies.erase(tallies.begin());  // label 0 is what lies below the threshold
  return tallies;
}

Region in_frame(const Tally& tally, const RectF& placement, double sx, double sy) {
  // Rounding in the placement must not add a row or column of pixels.
  constexpr double kSlack = 1e-6;
  const auto first = [](double edge) { return static_cast<int>(std::floor(edge + kSlack)); };
  const auto last = [](double edge) { return static_cast<int>(std::ceil(edge - kSlack)); };
  const int left = first(placement.x + tally.left * sx);
  const int top = first(placement.y + tally.top * sy);
  Region region;
  region.box = {left, top, last(placement.x + tally.right * sx) - left,
                last(placement.y + tally.bottom * sy) - top};
  region.area = tally.count * sx * sy;
  region.centroid_x = placement.x + tally.sum_x / tally.count * sx;
  region.centroid_y = placement.y + tally.sum_y / tally.count * sy;
  region.max_score = tally.max;
  region.mean_score = static_cast<float>(tally.sum / tally.count);
  return region;
}

}  // namespace

std::vector<Region> find_regions(const ScoreMap& map, const RectF& placement, double threshold,
                                 double min_area) {
  if (map.empty()) return {};
  const double sx = placement.width / map.width;
  const double sy = placement.height / map.height;
  std::vector<Region> regions;
  for (const Tally& tally : tally_components(map, threshold)) {
    Region region = in_frame(tally, placement, sx, sy);
    if (region.area >= min_area) regions.push_back(region);
  }
  std::sort(regions.begin(), regions.end(), [](const Region& a, const Region& b) {
    return std::tuple(-a.max_score, a.box.y, a.box.x) < std::tuple(-b.max_score, b.box.y, b.box.x);
  });
  return regions;
}

}  // namespace uad

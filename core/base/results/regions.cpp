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

  /// Pixels first … last - 1 of row y.
  void add(int first, int last, int y, const float* row) {
    left = std::min(left, first);
    top = std::min(top, y);
    right = std::max(right, last);
    bottom = std::max(bottom, y + 1);
    const double length = last - first;
    count += length;
    sum_x += length * (first + last) / 2;
    sum_y += length * (y + 0.5);
    for (int x = first; x < last; ++x) {
      sum += static_cast<double>(row[x]);
      max = std::max(max, row[x]);
    }
  }
};

/// 1 where the map reaches the threshold; empty if it does so nowhere, as in most frames.
cv::Mat1b reaching(const ScoreMap& map, double threshold) {
  cv::Mat1b mask(map.height, map.width);
  unsigned any = 0;
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const auto reaches = static_cast<std::uint8_t>(static_cast<double>(map.values[i]) >= threshold);
    mask.data[i] = reaches;
    any |= reaches;
  }
  return any != 0 ? mask : cv::Mat1b();
}

std::vector<Tally> tally_components(const ScoreMap& map, double threshold) {
  const cv::Mat1b mask = reaching(map, threshold);
  if (mask.empty()) return {};
  cv::Mat1i labels;
  const int count = cv::connectedComponents(mask, labels, 8, CV_32S);
  std::vector<Tally> tallies(static_cast<std::size_t>(count));
  for (int y = 0; y < map.height; ++y) {
    const int* label = labels[y];
    for (int x = 0; x < map.width;) {
      const int first = x;
      do ++x;
      while (x < map.width && label[x] == label[first]);
      if (label[first] == 0) continue;  // below the threshold
      tallies[static_cast<std::size_t>(label[first])].add(first, x, y, map.row(y));
    }
  }
  tallies.erase(tallies.begin());  // label 0
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/score_map.h"

#include <algorithm>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "core/base/error.h"

namespace uad {
namespace {

std::size_t area(int width, int height) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
}

void require_whole(const ScoreMap& map) {
  if (map.width <= 0 || map.height <= 0 || map.values.size() != area(map.width, map.height)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A score map of {} must hold that many values, but holds {}.",
                            to_string(Size{map.width, map.height}), map.values.size()));
  }
}

/// Two neighbours of the input and the share of the second, for every output position of one axis.
struct Blend {
  std::vector<int> first, second;
  std::vector<float> share;
};

Blend blend_along(int from, int to) {
  Blend blend;
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (int i = 0; i < to; ++i) {
    const float at = std::max((static_cast<float>(i) + 0.5F) * scale - 0.5F, 0.0F);
    const int first = std::min(static_cast<int>(at), from - 1);
    blend.first.push_back(first);
    blend.second.push_back(std::min(first + 1, from - 1));
    blend.share.push_back(at - static_cast<float>(first));
  }
  return blend;
}

}  // namespace

ScoreMap upsample_bilinear(const ScoreMap& grid, Size size) {
  require_whole(grid);
  if (size.width <= 0 || size.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A score map cannot be stretched to {}.", to_string(size)));
  }
  if (size == Size{grid.width, grid.height}) return grid;
  const Blend across = blend_along(grid.width, size.width);
  const Blend down = blend_along(grid.height, size.height);
  ScoreMap map{size.width, size.height, {}};
  map.values.reserve(area(size.width, size.height));
  for (std::size_t y = 0; y < down.share.size(); ++y) {
    const float low = down.share[y];
    for (std::size_t x = 0; x < across.share.size(); ++x) {
      const float right = across.share[x];
      const auto row = [&](int v) {
        return (1 - right) * grid.at(v, across.first[x]) + right * grid.at(v, across.second[x]);
      };
      map.values.push_back((1 - low) * row(down.first[y]) + low * row(down.second[y]));
    }
  }
  return map;
}

ScoreMap gaussian_blur(const ScoreMap& map, double sigma, Border border) {
  require_whole(map);
  if (!(sigma > 0)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("The sigma of a Gaussian must be above 0, but is {}.", sigma));
  }
  const int side = 2 * static_cast<int>(4 * sigma + 0.5) + 1;
  ScoreMap blurred = map;
  cv::Mat values(map.height, map.width, CV_32F, blurred.values.data());
  cv::GaussianBlur(values, values, {side, side}, sigma, sigma,
                   border == Border::kMirrored ? cv::BORDER_REFLECT_101 : cv::BORDER_REFLECT);
  return blurred;
}

}  // namespace uad

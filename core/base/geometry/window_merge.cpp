// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/window_merge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

void require_match(const TilePlan& plan, const std::vector<std::size_t>& chosen,
                   const std::vector<ScoreMap>& tiles, const ScoreMap& merged) {
  const auto area = [](int width, int height) {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  };
  const std::size_t windows = plan.origins.size();
  const bool rising = std::ranges::adjacent_find(chosen, std::greater_equal()) == chosen.end();
  if (tiles.size() != chosen.size() || !rising || (!chosen.empty() && chosen.back() >= windows)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Merging expects a map for each chosen window, in the order of the {} "
                            "windows, but receives {} for {}.",
                            windows, tiles.size(), chosen.size()));
  }
  for (const ScoreMap& tile : tiles) {
    if (tile.width != plan.tile.width || tile.height != plan.tile.height ||
        tile.values.size() != area(plan.tile.width, plan.tile.height)) {
      throw Error(ErrorCode::kShapeMismatch,
                  fmt::format("Merging expects window maps of {} but receives {}.",
                              to_string(plan.tile), to_string(Size{tile.width, tile.height})));
    }
  }
  if (chosen.size() == windows) return;
  if (merged.width != plan.crop.width || merged.height != plan.crop.height ||
      merged.values.size() != area(plan.crop.width, plan.crop.height)) {
    throw Error(
        ErrorCode::kShapeMismatch,
        fmt::format("Some windows are merged into a map of {} but it is {}.",
                    to_string(plan.map_size()), to_string(Size{merged.width, merged.height})));
  }
}

/// One window's part of the map, being merged.
class Patch {
 public:
  Patch(const TilePlan& plan, MergeMode mode)
      : width_(plan.tile.width),
        height_(plan.tile.height),
        maximum_(mode == MergeMode::kMax),
        across_(axis_weights(width_, mode)),
        down_(axis_weights(height_, mode)) {}

  void begin(Point origin) {
    origin_ = origin;
    const std::size_t area = across_.size() * down_.size();
    values_.assign(area, maximum_ ? -std::numeric_limits<double>::infinity() : 0.0);
    weights_.assign(area, 0.0);
  }

  /// The part of a window's map that lies in the patch.
  void add(Point origin, const ScoreMap& tile) {
    const int left = std::max(origin.x, origin_.x);
    const int right = std::min(origin.x, origin_.x) + width_;
    const int bottom = std::min(origin.y, origin_.y) + height_;
    for (int y = std::max(origin.y, origin_.y); y < bottom; ++y) {
      const float* from = tile.row(y - origin.y);
      const double down = down_[static_cast<std::size_t>(y - origin.y)];
      for (int x = left; x < right; ++x) {
        const auto column = static_cast<std::size_t>(x - origin.x);
        put(at(x - origin_.x, y - origin_.y), from[column], across_[column] * down);
      }
    }
  }

  void write_into(ScoreMap& merged) const {
    for (int y = 0; y < height_; ++y) {
      float* to = merged.values.data() +
                  static_cast<std::size_t>(origin_.y + y) * static_cast<std::size_t>(merged.width) +
                  static_cast<std::size_t>(origin_.x);
      for (int x = 0; x < width_; ++x, ++to) {
        const std::size_t i = at(x, y);
        *to = static_cast<float>(maximum_ ? values_[i] : values_[i] / weights_[i]);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(y) * across_.size() + static_cast<std::size_t>(x);
  }
  void put(std::size_t to, float value, double weight) {
    if (maximum_) {
      values_[to] = std::max(values_[to], static_cast<double>(value));
    } else {
      values_[to] += weight * static_cast<double>(value);
      weights_[to] += weight;
    }
  }

  int width_;
  int height_;
  bool maximum_;
  std::vector<double> across_;
  std::vector<double> down_;
  Point origin_{};
  std::vector<double> values_;
  std::vector<double> weights_;
};

bool overlap(const TilePlan& plan, Point a, Point b) {
  return std::abs(a.x - b.x) < plan.tile.width && std::abs(a.y - b.y) < plan.tile.height;
}

}  // namespace

std::vector<double> axis_weights(int length, MergeMode mode) {
  std::vector<double> weights(static_cast<std::size_t>(length), 1.0);
  if (mode != MergeMode::kHann) return weights;
  for (int i = 0; i < length; ++i) {
    const double s = std::sin(std::numbers::pi * (i + 0.5) / length);
    weights[static_cast<std::size_t>(i)] = s * s;
  }
  return weights;
}

void merge_windows(const TilePlan& plan, const std::vector<std::size_t>& chosen,
                   const std::vector<ScoreMap>& tiles, MergeMode mode, ScoreMap& merged) {
  require_match(plan, chosen, tiles, merged);
  if (chosen.size() == plan.origins.size()) {
    merged = merge_tiles(plan, tiles, mode);
    return;
  }
  Patch patch(plan, mode);
  for (const std::size_t window : chosen) {
    const Point origin = plan.origins[window];
    patch.begin(origin);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const Point other = plan.origins[chosen[i]];
      if (overlap(plan, origin, other)) patch.add(other, tiles[i]);
    }
    patch.write_into(merged);
  }
}

float highest_under(const TilePlan& plan, std::size_t window, const ScoreMap& map) {
  const Point origin = plan.origins.at(window);
  float highest = -std::numeric_limits<float>::infinity();
  for (int y = 0; y < plan.tile.height; ++y) {
    const float* row = map.row(origin.y + y) + origin.x;
    highest = std::max(highest, *std::max_element(row, row + plan.tile.width));
  }
  return highest;
}

}  // namespace uad

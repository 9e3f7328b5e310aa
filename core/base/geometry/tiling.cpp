// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/tiling.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/window_merge.h"

namespace uad {
namespace {

constexpr int kMaxSide = 32768;

void require_not_negative(Size size, const char* option) {
  if (size.width < 0 || size.height < 0) {
    throw Error(ErrorCode::kBadOption, fmt::format("Option \"{}\" must not be negative, but is {}.",
                                                   option, to_string(size)));
  }
}

Rect source_of(Size frame, const Rect& roi) {
  const Rect whole{0, 0, frame.width, frame.height};
  if (roi == Rect{}) return whole;
  const int left = std::max(roi.x, 0);
  const int top = std::max(roi.y, 0);
  const Rect inside{left, top, std::min(roi.x + roi.width, frame.width) - left,
                    std::min(roi.y + roi.height, frame.height) - top};
  if (inside.empty()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"roi\" ({}) lies outside the {} frame: choose a rectangle "
                            "inside it.",
                            to_string(roi), to_string(frame)));
  }
  return inside;
}

int scaled_side(int side, double factor) {
  return std::max(1, static_cast<int>(std::lround(side * factor)));
}

Size resized(Size from, const InputSpec& spec) {
  if (spec.resize.empty()) return from;
  Size to = spec.resize;
  const double across = static_cast<double>(to.width) / from.width;
  const double down = static_cast<double>(to.height) / from.height;
  const bool keeps = spec.keep_aspect || spec.cover;
  const bool by_height = spec.cover ? down > across : down < across;
  if (to.width == 0 || (keeps && to.height != 0 && by_height)) {
    to.width = scaled_side(from.width, down);
  } else if (to.height == 0 || keeps) {
    to.height = scaled_side(from.height, across);
  }
  if (to.width > kMaxSide || to.height > kMaxSide) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"resize\" ({}) makes a {} image of a {} one, more than {} on a "
                    "side: give both sides.",
                    to_string(spec.resize), to_string(to), to_string(from), kMaxSide));
  }
  return to;
}

/// Half to even, as Python's round(): the rule of the original preprocessing.
int centred_offset(int outer, int inner) {
  return static_cast<int>(std::nearbyint((outer - inner) / 2.0));
}

Rect centre_crop(Size scaled, Size crop) {
  const Size size{crop.width == 0 ? scaled.width : crop.width,
                  crop.height == 0 ? scaled.height : crop.height};
  if (size.width > scaled.width || size.height > scaled.height) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"crop\" ({}) exceeds the resized image ({}): make \"crop\" "
                            "smaller or \"resize\" larger.",
                            to_string(crop), to_string(scaled)));
  }
  return {centred_offset(scaled.width, size.width), centred_offset(scaled.height, size.height),
          size.width, size.height};
}

struct Steps {
  int window;
  std::vector<int> starts;
};

/// Window positions along one axis; the last one ends with the axis.
Steps steps_along(int length, int window, int stride) {
  Steps steps{window == 0 ? length : std::min(window, length), {}};
  const int step = stride == 0 ? std::max(1, steps.window / 2) : stride;
  const int last = length - steps.window;
  for (int at = 0; at < last; at += step) steps.starts.push_back(at);
  steps.starts.push_back(last);
  return steps;
}

void require_match(const TilePlan& plan, const std::vector<ScoreMap>& tiles) {
  if (tiles.size() != plan.origins.size()) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Merging expects {} tile maps but receives {}.", plan.origins.size(),
                            tiles.size()));
  }
  const std::size_t area =
      static_cast<std::size_t>(plan.tile.width) * static_cast<std::size_t>(plan.tile.height);
  for (const ScoreMap& tile : tiles) {
    if (tile.width != plan.tile.width || tile.height != plan.tile.height ||
        tile.values.size() != area) {
      throw Error(ErrorCode::kShapeMismatch,
                  fmt::format("Merging expects tile maps of {} but receives {}.",
                              to_string(plan.tile), to_string(Size{tile.width, tile.height})));
    }
  }
  for (const Point& origin : plan.origins) {
    if (origin.x < 0 || origin.y < 0 || origin.x + plan.tile.width > plan.crop.width ||
        origin.y + plan.tile.height > plan.crop.height) {
      throw Error(
          ErrorCode::kShapeMismatch,
          fmt::format("Merging expects tiles inside {} but one of {} lies at {},{}.",
                      to_string(plan.map_size()), to_string(plan.tile), origin.x, origin.y));
    }
  }
}

/// Calls visit(index in the map, index in the tile, tile x, tile y) for every pixel of a tile.
template <class Visit>
void for_each_pixel(const TilePlan& plan, Point origin, Visit&& visit) {
  for (int y = 0; y < plan.tile.height; ++y) {
    std::size_t to =
        static_cast<std::size_t>(origin.y + y) * static_cast<std::size_t>(plan.crop.width) +
        static_cast<std::size_t>(origin.x);
    std::size_t from = static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.tile.width);
    for (int x = 0; x < plan.tile.width; ++x) visit(to++, from++, x, y);
  }
}

void merge_weighted(const TilePlan& plan, const std::vector<ScoreMap>& tiles, MergeMode mode,
                    std::vector<float>& merged) {
  const std::vector<double> across = axis_weights(plan.tile.width, mode);
  const std::vector<double> down = axis_weights(plan.tile.height, mode);
  std::vector<double> sums(merged.size(), 0.0);
  std::vector<double> weights(merged.size(), 0.0);
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    for_each_pixel(plan, plan.origins[t], [&](std::size_t to, std::size_t from, int x, int y) {
      const double weight = across[static_cast<std::size_t>(x)] * down[static_cast<std::size_t>(y)];
      sums[to] += weight * static_cast<double>(tiles[t].values[from]);
      weights[to] += weight;
    });
  }
  for (std::size_t i = 0; i < merged.size(); ++i) {
    merged[i] = static_cast<float>(sums[i] / weights[i]);
  }
}

void merge_maximum(const TilePlan& plan, const std::vector<ScoreMap>& tiles,
                   std::vector<float>& merged) {
  std::fill(merged.begin(), merged.end(), -std::numeric_limits<float>::infinity());
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    for_each_pixel(plan, plan.origins[t], [&](std::size_t to, std::size_t from, int, int) {
      merged[to] = std::max(merged[to], tiles[t].values[from]);
    });
  }
}

}  // namespace

TilePlan plan_tiles(Size frame, const InputSpec& spec) {
  if (frame.width <= 0 || frame.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A frame must have at least one pixel, but is {}.", to_string(frame)));
  }
  require_not_negative(spec.resize, "resize");
  require_not_negative(spec.crop, "crop");
  require_not_negative(spec.window, "window");
  require_not_negative(spec.stride, "stride");
  const auto too_far = [](int stride, int window) { return window != 0 && stride > window; };
  if (too_far(spec.stride.width, spec.window.width) ||
      too_far(spec.stride.height, spec.window.height)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"stride\" ({}) exceeds \"window\" ({}), so parts of the image "
                            "would not be looked at: make \"stride\" smaller.",
                            to_string(spec.stride), to_string(spec.window)));
  }

  TilePlan plan;
  plan.source = source_of(frame, spec.roi);
  plan.scaled = resized({plan.source.width, plan.source.height}, spec);
  plan.crop = centre_crop(plan.scaled, spec.crop);
  const Steps across = steps_along(plan.crop.width, spec.window.width, spec.stride.width);
  const Steps down = steps_along(plan.crop.height, spec.window.height, spec.stride.height);
  plan.tile = {across.window, down.window};
  for (const int y : down.starts) {
    for (const int x : across.starts) plan.origins.push_back({x, y});
  }
  const double sx = static_cast<double>(plan.source.width) / plan.scaled.width;
  const double sy = static_cast<double>(plan.source.height) / plan.scaled.height;
  plan.placement = {plan.source.x + plan.crop.x * sx, plan.source.y + plan.crop.y * sy,
                    plan.crop.width * sx, plan.crop.height * sy};
  return plan;
}

ScoreMap merge_tiles(const TilePlan& plan, const std::vector<ScoreMap>& tiles, MergeMode mode) {
  require_match(plan, tiles);
  if (tiles.size() == 1) return tiles.front();
  ScoreMap merged{plan.crop.width, plan.crop.height, {}};
  merged.values.resize(static_cast<std::size_t>(merged.width) *
                       static_cast<std::size_t>(merged.height));
  if (mode == MergeMode::kMax) {
    merge_maximum(plan, tiles, merged.values);
  } else {
    merge_weighted(plan, tiles, mode, merged.values);
  }
  return merged;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay/heat_layer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/simd.h"

namespace uad {
namespace {

constexpr float kCold = -1;

/// Two neighbours of a line and the share of the second, for each block.
UAD_SIMD
void interpolate(const float* __restrict line, const int* __restrict index,
                 const float* __restrict share, std::size_t count, int last, float* __restrict to) {
  for (std::size_t i = 0; i < count; ++i) {
    const float left = line[index[i]];
    to[i] = left + share[i] * (line[std::min(index[i] + 1, last)] - left);
  }
}

/// For every block along one axis: the map index before its centre, and the share of the next.
struct Axis {
  int begin = 0;  // first block whose centre lies in the placement
  std::vector<int> index;
  std::vector<float> share;
};

Axis map_axis(int pixels, double start, double length, int cells) {
  Axis axis;
  axis.begin = std::max(0, static_cast<int>(std::ceil((start - 1) / 2)));
  for (int block = axis.begin; 2 * block < pixels; ++block) {
    const double centre = (2 * block + std::min(2 * block + 2, pixels)) / 2.0;
    if (centre >= start + length) break;
    const double at = std::clamp((centre - start) / length * cells - 0.5, 0.0, cells - 1.0);
    const int index = std::min(static_cast<int>(at), std::max(cells - 2, 0));
    axis.index.push_back(index);
    axis.share.push_back(static_cast<float>(at - index));
  }
  return axis;
}

/// Map columns [first, last] that hold all values of a row from the warn level on.
struct WarmSpan {
  int first = std::numeric_limits<int>::max();
  int last = -1;
};

std::vector<WarmSpan> warm_spans(const ScoreMap& map, float warn) {
  std::vector<WarmSpan> spans(static_cast<std::size_t>(map.height));
  for (int y = 0; y < map.height; ++y) {
    const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(y) * map.width;
    const float* const end = row + map.width;
    const auto warm = [warn](float value) { return value >= warn; };
    const float* const first = std::find_if(row, end, warm);
    if (first == end) continue;
    const auto past = std::find_if(std::reverse_iterator(end), std::reverse_iterator(first), warm);
    spans[static_cast<std::size_t>(y)] = {static_cast<int>(first - row),
                                          static_cast<int>(past.base() - row) - 1};
  }
  return spans;
}

/// Rows of the map as colour indices: 0 at the warn level, 255 at the high end, below 0 = no tint.
/// Worked out only where something is warm, and kept while neighbouring lines need them.
class HeatRows {
 public:
  explicit HeatRows(const HeatLayer& layer)
      : layer_(layer), gain_(255 / std::max(1 - layer.warn, 1e-6)) {
    for (Row& row : rows_) row.heat.resize(static_cast<std::size_t>(layer.map.width));
  }

  const std::vector<float>& row(int y, int first, int last) {
    Row& kept = rows_[static_cast<std::size_t>(y % 2)];
    if (kept.y == y && kept.first <= first && kept.last >= last) return kept.heat;
    kept.y = y;
    kept.first = first;
    kept.last = last;
    for (int x = first; x <= last; ++x) {
      const double level = layer_.scale.normalise(static_cast<double>(layer_.map.at(y, x)));
      kept.heat[static_cast<std::size_t>(x)] =
          std::isnan(level) ? kCold : static_cast<float>((level - layer_.warn) * gain_);
    }
    return kept.heat;
  }

 private:
  struct Row {
    int y = -1;
    int first = 0;
    int last = -1;
    std::vector<float> heat;
  };
  const HeatLayer& layer_;
  double gain_;
  std::array<Row, 2> rows_;
};

/// Where a line from a to b crosses `level`, 0…1.
double crossing(float a, float b, double level) {
  const double whole = static_cast<double>(b) - static_cast<double>(a);
  return whole == 0 ? 0.5 : std::clamp((level - static_cast<double>(a)) / whole, 0.0, 1.0);
}

struct Segment {
  double x0, y0, x1, y1;
};

/// Marching squares over the square whose top-left corner is the map value (x, y): up to two
/// segments in map coordinates (value centres are whole numbers).
void add_segments(const ScoreMap& map, int x, int y, double level, std::vector<Segment>& out) {
  const float top_left = map.at(y, x);
  const float top_right = map.at(y, x + 1);
  const float bottom_left = map.at(y + 1, x);
  const float bottom_right = map.at(y + 1, x + 1);
  const auto above = [&](float value) { return static_cast<double>(value) >= level; };
  std::array<double, 8> points{};  // x, y of the crossings: top, right, bottom, left
  std::size_t count = 0;
  const auto cross = [&](float a, float b, double px, double py, double dx, double dy) {
    if (above(a) == above(b)) return;
    const double share = crossing(a, b, level);
    points[count++] = px + share * dx;
    points[count++] = py + share * dy;
  };
  cross(top_left, top_right, x, y, 1, 0);
  cross(top_right, bottom_right, x + 1, y, 0, 1);
  cross(bottom_left, bottom_right, x, y + 1, 1, 0);
  cross(top_left, bottom_left, x, y, 0, 1);
  if (count == 4) {
    out.push_back({points[0], points[1], points[2], points[3]});
  } else if (count == 8 && above(top_left)) {  // saddle: the corners above belong together
    out.push_back({points[0], points[1], points[2], points[3]});
    out.push_back({points[4], points[5], points[6], points[7]});
  } else if (count == 8) {
    out.push_back({points[0], points[1], points[6], points[7]});
    out.push_back({points[2], points[3], points[4], points[5]});
  }
}

/// How many values of a row reach the threshold.
int count_from(const ScoreMap& map, int y, float threshold) {
  const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(y) * map.width;
  int count = 0;
  for (int x = 0; x < map.width; ++x) count += row[x] >= threshold ? 1 : 0;
  return count;
}

std::vector<Segment> contour_segments(const ScoreMap& map, double level) {
  std::vector<Segment> segments;
  const auto threshold = static_cast<float>(level);
  int above = count_from(map, 0, threshold);
  for (int y = 0; y + 1 < map.height; ++y) {
    const int here = std::exchange(above, count_from(map, y + 1, threshold));
    if (here == above && (here == 0 || here == map.width)) continue;  // nothing crosses
    const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(y) * map.width;
    for (int x = 0; x + 1 < map.width; ++x) {
      const int count = (row[x] >= threshold) + (row[x + 1] >= threshold) +
                        (row[x + map.width] >= threshold) + (row[x + map.width + 1] >= threshold);
      if (count % 4 != 0) add_segments(map, x, y, static_cast<double>(threshold), segments);
    }
  }
  return segments;
}

}  // namespace

HeatPalette::HeatPalette(const Canvas& canvas, const std::array<Colour, 256>& colours)
    : striped_(canvas.grey()), stripe_(std::max(2, canvas.height() / 240)) {
  for (std::size_t i = 0; i < dabs_.size(); ++i) {
    dabs_[i] = {canvas.ink(striped_ ? (i < 128 ? kBlack : kWhite) : colours[i]), kOpaque};
  }
}

void HeatPalette::choose(int block_x, int block_y, std::span<const float> heat, int opacity,
                         std::vector<Dab>& dabs) const {
  dabs.resize(heat.size());
  for (std::size_t i = 0; i < heat.size(); ++i) {
    Dab& dab = dabs[i];
    dab = {};
    if (!(heat[i] >= 0)) continue;
    const int level = std::min(static_cast<int>(heat[i]), 255);
    if (!striped_) {
      dab = dabs_[static_cast<std::size_t>(level)];
      dab.opacity = static_cast<std::uint16_t>(opacity);
      continue;
    }
    const bool dark = (block_x + static_cast<int>(i) + block_y) / stripe_ % 2 == 0;
    dab = {dabs_[dark ? 0 : 255].ink, static_cast<std::uint16_t>(opacity * (64 + level) / 320)};
  }
}

void tint(Canvas& canvas, const HeatLayer& layer, const HeatPalette& palette, int opacity) {
  const int width = layer.map.width;
  const int height = layer.map.height;
  // A hair below, so that rounding cannot lose a value that is exactly at the warn level.
  const double warn = layer.scale.raw(layer.warn);
  const auto spans = warm_spans(layer.map, static_cast<float>(warn - 1e-6 * std::abs(warn)));
  const Axis across = map_axis(canvas.width(), layer.placement.x, layer.placement.width, width);
  const Axis down = map_axis(canvas.height(), layer.placement.y, layer.placement.height, height);
  HeatRows rows(layer);
  std::vector<float> line(static_cast<std::size_t>(width));
  std::vector<float> heat;
  std::vector<Dab> dabs;
  for (std::size_t j = 0; j < down.index.size(); ++j) {
    const int top = down.index[j];
    const int bottom = std::min(top + 1, height - 1);
    const WarmSpan& a = spans[static_cast<std::size_t>(top)];
    const WarmSpan& b = spans[static_cast<std::size_t>(bottom)];
    if (a.last < 0 && b.last < 0) continue;
    const int first = std::max(std::min(a.first, b.first) - 1, 0);
    const int last = std::min(std::max(a.last, b.last) + 1, width - 1);
    const std::vector<float>& upper = rows.row(top, first, last);
    const std::vector<float>& lower = rows.row(bottom, first, last);
    for (auto x = static_cast<std::size_t>(first); x <= static_cast<std::size_t>(last); ++x) {
      line[x] = upper[x] + down.share[j] * (lower[x] - upper[x]);
    }
    const auto begin = std::lower_bound(across.index.begin(), across.index.end(), first);
    const auto end = std::upper_bound(begin, across.index.end(), last);
    const auto start = static_cast<std::size_t>(begin - across.index.begin());
    const int block_x = across.begin + static_cast<int>(start);
    const int block_y = down.begin + static_cast<int>(j);
    heat.resize(static_cast<std::size_t>(end - begin));
    interpolate(line.data(), across.index.data() + start, across.share.data() + start, heat.size(),
                last, heat.data());
    palette.choose(block_x, block_y, heat, opacity, dabs);
    canvas.blend_blocks(block_x, block_y, dabs);
  }
}

void draw_contour(Canvas& canvas, const HeatLayer& layer, Colour colour) {
  const std::vector<Segment> segments = contour_segments(layer.map, layer.scale.thr);
  const double sx = layer.placement.width / layer.map.width;
  const double sy = layer.placement.height / layer.map.height;
  const int thickness = std::max(1, canvas.height() / 1000);
  const auto draw = [&](int blocks, Colour with) {
    const Ink ink = canvas.ink(with);
    for (const Segment& s : segments) {
      canvas.line(layer.placement.x + (s.x0 + 0.5) * sx, layer.placement.y + (s.y0 + 0.5) * sy,
                  layer.placement.x + (s.x1 + 0.5) * sx, layer.placement.y + (s.y1 + 0.5) * sy,
                  blocks, ink);
    }
  };
  if (canvas.grey() && canvas.height() >= 480) draw(thickness + 2, kBlack);
  draw(thickness, canvas.grey() ? kWhite : colour);
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/heat_layer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace uad {
namespace {

constexpr float kCold = -1;

/// The map as colour indices: 0 at the warn level, 255 at the high end, below 0 = no tint.
std::vector<float> heat_of(const HeatLayer& layer) {
  const double gain = 255 / std::max(1 - layer.warn, 1e-6);
  std::vector<float> heat(layer.map.values.size());
  for (std::size_t i = 0; i < heat.size(); ++i) {
    const double level = layer.scale.normalise(static_cast<double>(layer.map.values[i]));
    heat[i] = std::isnan(level) ? kCold : static_cast<float>((level - layer.warn) * gain);
  }
  return heat;
}

/// For every block along one axis: the map index before its centre, and the share of the next.
struct Axis {
  int begin = 0;  // first block whose centre lies in the placement
  std::vector<int> index;
  std::vector<float> share;
};

Axis map_axis(int blocks, double start, double length, int cells) {
  Axis axis;
  axis.begin = std::max(0, static_cast<int>(std::ceil((start - 1) / 2)));
  for (int block = axis.begin; block < blocks; ++block) {
    const double centre = 2 * block + 1;
    if (centre >= start + length) break;
    const double at = std::clamp((centre - start) / length * cells - 0.5, 0.0, cells - 1.0);
    const int index = std::min(static_cast<int>(at), std::max(cells - 2, 0));
    axis.index.push_back(index);
    axis.share.push_back(static_cast<float>(at - index));
  }
  return axis;
}

/// Columns of a map row that are warm, as [first, last]; empty if first > last.
struct WarmSpan {
  int first, last;
};

std::vector<WarmSpan> warm_spans(const std::vector<float>& heat, int width, int height) {
  std::vector<WarmSpan> spans;
  for (int y = 0; y < height; ++y) {
    const float* const row = heat.data() + static_cast<std::ptrdiff_t>(y) * width;
    WarmSpan span{0, width - 1};
    while (span.first < width && !(row[span.first] >= 0)) ++span.first;
    while (span.last > span.first && !(row[span.last] >= 0)) --span.last;
    if (span.first == width) span = {width, -1};
    spans.push_back(span);
  }
  return spans;
}

/// In a grey frame heat shows as black and white stripes, legible on any background.
struct Palette {
  std::array<Ink, 256> inks;
  bool striped;
  int stripe;  // blocks

  [[nodiscard]] const Ink& ink(int block_x, int block_y, int heat) const {
    if (!striped) return inks[static_cast<std::size_t>(heat)];
    return inks[(block_x + block_y) / stripe % 2 == 0 ? 0 : 255];
  }
};

Palette palette_for(const Canvas& canvas, const std::array<Colour, 256>& colours) {
  Palette palette{{}, canvas.grey(), std::max(2, canvas.height() / 240)};
  for (std::size_t i = 0; i < colours.size(); ++i) {
    const auto level = static_cast<std::uint8_t>(i);
    palette.inks[i] = canvas.ink(palette.striped ? Colour{level, level, level} : colours[i]);
  }
  return palette;
}

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

std::vector<Segment> contour_segments(const ScoreMap& map, double level) {
  std::vector<Segment> segments;
  for (int y = 0; y + 1 < map.height; ++y) {
    const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(y) * map.width;
    const auto threshold = static_cast<float>(level);
    for (int x = 0; x + 1 < map.width; ++x) {
      const int count = (row[x] >= threshold) + (row[x + 1] >= threshold) +
                        (row[x + map.width] >= threshold) + (row[x + map.width + 1] >= threshold);
      if (count % 4 != 0) add_segments(map, x, y, static_cast<double>(threshold), segments);
    }
  }
  return segments;
}

}  // namespace

void tint(Canvas& canvas, const HeatLayer& layer, const std::array<Colour, 256>& colours,
          int opacity) {
  const int width = layer.map.width;
  const int height = layer.map.height;
  const std::vector<float> heat = heat_of(layer);
  const std::vector<WarmSpan> spans = warm_spans(heat, width, height);
  const Axis across =
      map_axis(canvas.blocks().width, layer.placement.x, layer.placement.width, width);
  const Axis down =
      map_axis(canvas.blocks().height, layer.placement.y, layer.placement.height, height);
  const Palette palette = palette_for(canvas, colours);
  std::vector<float> row(static_cast<std::size_t>(width) + 1);
  for (std::size_t j = 0; j < down.index.size(); ++j) {
    const int top = down.index[j];
    const int bottom = std::min(top + 1, height - 1);
    const auto& a = spans[static_cast<std::size_t>(top)];
    const auto& b = spans[static_cast<std::size_t>(bottom)];
    const int first = std::max(std::min(a.first, b.first) - 1, 0);
    const int last = std::min(std::max(a.last, b.last) + 1, width - 1);
    if (std::max(a.last, b.last) < 0) continue;
    const float* const upper = heat.data() + static_cast<std::ptrdiff_t>(top) * width;
    const float* const lower = heat.data() + static_cast<std::ptrdiff_t>(bottom) * width;
    for (int x = first; x <= last; ++x) {
      row[static_cast<std::size_t>(x)] = upper[x] + down.share[j] * (lower[x] - upper[x]);
    }
    row[static_cast<std::size_t>(last) + 1] = row[static_cast<std::size_t>(last)];
    const int block_y = down.begin + static_cast<int>(j);
    auto i = static_cast<std::size_t>(
        std::lower_bound(across.index.begin(), across.index.end(), first) - across.index.begin());
    for (; i < across.index.size() && across.index[i] <= last; ++i) {
      const auto cell = static_cast<std::size_t>(across.index[i]);
      const float value = row[cell] + across.share[i] * (row[cell + 1] - row[cell]);
      if (!(value >= 0)) continue;
      const int block_x = across.begin + static_cast<int>(i);
      canvas.blend_block(block_x, block_y,
                         palette.ink(block_x, block_y, std::min(static_cast<int>(value), 255)),
                         opacity);
    }
  }
}

void draw_contour(Canvas& canvas, const HeatLayer& layer) {
  const std::vector<Segment> segments = contour_segments(layer.map, layer.scale.thr);
  const double sx = layer.placement.width / layer.map.width;
  const double sy = layer.placement.height / layer.map.height;
  const int thickness = std::max(1, canvas.height() / 1000);
  const auto draw = [&](int blocks, Colour colour) {
    const Ink ink = canvas.ink(colour);
    for (const Segment& s : segments) {
      canvas.line(layer.placement.x + (s.x0 + 0.5) * sx, layer.placement.y + (s.y0 + 0.5) * sy,
                  layer.placement.x + (s.x1 + 0.5) * sx, layer.placement.y + (s.y1 + 0.5) * sy,
                  blocks, ink);
    }
  };
  if (canvas.grey()) draw(thickness + 2, kBlack);
  draw(thickness, kWhite);
}

}  // namespace uad

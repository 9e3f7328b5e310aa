// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixel_layout.h"

namespace uad {
namespace {

void mix(std::uint8_t& into, std::uint8_t ink, int opacity) {
  into = static_cast<std::uint8_t>((into * (kOpaque - opacity) + ink * opacity + 128) >> 8);
}

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

Ink yuv_ink(Colour colour, const Colorimetry& colorimetry) {
  const auto [red, blue] = luma_shares(colorimetry.matrix);
  const double y = red * colour.red + (1 - red - blue) * colour.green + blue * colour.blue;
  const double u = (colour.blue - y) / (2 * (1 - blue));
  const double v = (colour.red - y) / (2 * (1 - red));
  if (colorimetry.range == YuvRange::kFull) return {to_byte(y), to_byte(128 + u), to_byte(128 + v)};
  return {to_byte(16 + y * 219 / 255), to_byte(128 + u * 224 / 255), to_byte(128 + v * 224 / 255)};
}

}  // namespace

Canvas::Canvas(const MutableFrameView& frame) : frame_(frame), yuv_(is_yuv(frame.format)) {
  if (frame.width <= 0 || frame.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A frame to paint on must have at least one pixel, but is {}.",
                            to_string(Size{frame.width, frame.height})));
  }
  require_planes(frame);
  const PackedLayout layout = packed_layout(frame.format);
  step_ = layout.step;
  offsets_ = {layout.red, layout.green, layout.blue};
  components_ = step_ == 1 ? 1 : 3;
  chroma_step_ = frame.format == PixelFormat::kNv12 ? 2 : 1;
}

Ink Canvas::ink(Colour colour) const {
  if (yuv_) return yuv_ink(colour, frame_.colorimetry);
  if (grey()) return {static_cast<std::uint8_t>(brightness(colour)), 0, 0};
  return {colour.red, colour.green, colour.blue};
}

void Canvas::blend_pixel(int x, int y, const Ink& ink, int opacity) {
  std::uint8_t* const pixel = at(0, y) + std::ptrdiff_t{step_} * x;
  for (std::size_t c = 0; c < static_cast<std::size_t>(components_); ++c) {
    mix(pixel[offsets_[c]], ink[c], opacity);
  }
}

void Canvas::blend_chroma(int block_x, int block_y, const Ink& ink, int opacity) {
  const std::ptrdiff_t x = std::ptrdiff_t{chroma_step_} * block_x;
  std::uint8_t* const u = at(1, block_y) + x;
  std::uint8_t* const v = frame_.format == PixelFormat::kNv12 ? u + 1 : at(2, block_y) + x;
  mix(*u, ink[1], opacity);
  mix(*v, ink[2], opacity);
}

void Canvas::blend_block(int block_x, int block_y, const Ink& ink, int opacity) {
  const int x = 2 * block_x;
  const int y = 2 * block_y;
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  const bool two_columns = x + 1 < width();
  for (int row = y; row < std::min(y + 2, height()); ++row) {
    blend_pixel(x, row, ink, opacity);
    if (two_columns) blend_pixel(x + 1, row, ink, opacity);
  }
  if (yuv_) blend_chroma(block_x, block_y, ink, opacity);
}

void Canvas::fill(const Rect& rect, const Ink& ink, int opacity) {
  if (rect.empty()) return;
  const Size all = blocks();
  const int left = std::max(rect.x, 0) / 2;
  const int top = std::max(rect.y, 0) / 2;
  const int right = std::min((rect.x + rect.width + 1) / 2, all.width);
  const int bottom = std::min((rect.y + rect.height + 1) / 2, all.height);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) blend_block(x, y, ink, opacity);
  }
}

void Canvas::outline(const Rect& rect, int thickness, const Ink& ink) {
  if (rect.empty()) return;
  const int left = rect.x & ~1;
  const int top = rect.y & ~1;
  const int right = (rect.x + rect.width + 1) & ~1;
  const int bottom = (rect.y + rect.height + 1) & ~1;
  const int across = std::min(2 * thickness, right - left);
  const int down = std::min(2 * thickness, bottom - top);
  fill({left, top, right - left, down}, ink);
  fill({left, bottom - down, right - left, down}, ink);
  fill({left, top, across, bottom - top}, ink);
  fill({right - across, top, across, bottom - top}, ink);
}

void Canvas::line(double x0, double y0, double x1, double y1, int thickness, const Ink& ink) {
  const double length = std::max(std::abs(x1 - x0), std::abs(y1 - y0)) / 2;
  const int steps = std::max(1, static_cast<int>(std::ceil(length)));
  for (int i = 0; i <= steps; ++i) {
    const double share = static_cast<double>(i) / steps;
    const auto block = [&](double from, double to) {
      return static_cast<int>(std::floor((from + share * (to - from)) / 2 - (thickness - 1) / 2.0));
    };
    const int left = block(x0, x1);
    const int top = block(y0, y1);
    for (int y = top; y < top + thickness; ++y) {
      for (int x = left; x < left + thickness; ++x) blend_block(x, y, ink, kOpaque);
    }
  }
}

void Canvas::stamp(Point top_left, const cv::Mat1b& mask, const Ink& ink) {
  const Point origin{top_left.x & ~1, top_left.y & ~1};
  const auto opacity = [&](int x, int y) {
    return x < mask.cols && y < mask.rows ? (mask(y, x) * kOpaque + 127) / 255 : 0;
  };
  const auto inside = [&](int x, int y) { return x >= 0 && y >= 0 && x < width() && y < height(); };
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      if (mask(y, x) == 0 || !inside(origin.x + x, origin.y + y)) continue;
      blend_pixel(origin.x + x, origin.y + y, ink, opacity(x, y));
    }
  }
  if (!yuv_) return;
  for (int y = 0; y < mask.rows; y += 2) {
    for (int x = 0; x < mask.cols; x += 2) {
      const int mean =
          (opacity(x, y) + opacity(x + 1, y) + opacity(x, y + 1) + opacity(x + 1, y + 1)) / 4;
      if (mean == 0 || !inside(origin.x + x, origin.y + y)) continue;
      blend_chroma((origin.x + x) / 2, (origin.y + y) / 2, ink, mean);
    }
  }
}

}  // namespace uad

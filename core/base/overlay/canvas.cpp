// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/pixel_layout.h"

namespace uad {
namespace {

/// `count` bytes that lie `step` apart.
void mix_run(std::uint8_t* to, int step, int count, std::uint8_t ink, int opacity) {
  if (step == 1) {
    for (int i = 0; i < count; ++i) mix_into(to[i], ink, opacity);
  } else {
    for (int i = 0; i < count; ++i) mix_into(to[std::ptrdiff_t{step} * i], ink, opacity);
  }
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

void Canvas::fill(const Rect& rect, const Ink& ink, int opacity) {
  if (rect.empty()) return;
  const Size all = blocks();
  const int left = std::max(rect.x, 0) / 2;
  const int top = std::max(rect.y, 0) / 2;
  const int right = std::min((rect.x + rect.width + 1) / 2, all.width);
  const int bottom = std::min((rect.y + rect.height + 1) / 2, all.height);
  if (left >= right) return;
  const int columns = std::min(2 * right, width()) - 2 * left;
  for (int y = 2 * top; y < std::min(2 * bottom, height()); ++y) {
    std::uint8_t* const row = at(0, y) + std::ptrdiff_t{2} * step_ * left;
    for (std::size_t c = 0; c < static_cast<std::size_t>(components_); ++c) {
      mix_run(row + offsets_[c], step_, columns, ink[c], opacity);
    }
  }
  for (int y = top; yuv_ && y < bottom; ++y) {
    mix_run(chroma(1, left, y), chroma_step_, right - left, ink[1], opacity);
    mix_run(chroma(2, left, y), chroma_step_, right - left, ink[2], opacity);
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
  const auto opacity = [&](int x, int y) {  // at a pixel of the frame
    const int column = x - top_left.x;
    const int row = y - top_left.y;
    if (column < 0 || row < 0 || column >= mask.cols || row >= mask.rows) return 0;
    return (mask(row, column) * kOpaque + 127) / 255;
  };
  const int left = std::max(top_left.x, 0);
  const int top = std::max(top_left.y, 0);
  const int right = std::min(top_left.x + mask.cols, width());
  const int bottom = std::min(top_left.y + mask.rows, height());
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      const int here = opacity(x, y);
      if (here == 0) continue;
      blend_pixel(at(0, y) + std::ptrdiff_t{step_} * x, ink, here);
    }
  }
  for (int y = top / 2; yuv_ && 2 * y < bottom; ++y) {
    for (int x = left / 2; 2 * x < right; ++x) {
      const int mean = (opacity(2 * x, 2 * y) + opacity(2 * x + 1, 2 * y) +
                        opacity(2 * x, 2 * y + 1) + opacity(2 * x + 1, 2 * y + 1)) /
                       4;
      if (mean > 0) blend_chroma(x, y, ink, mean);
    }
  }
}

}  // namespace uad

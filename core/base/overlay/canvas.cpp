// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/simd.h"

namespace uad {
namespace {

/// `count` samples that lie `step` bytes apart.
void mix_run(std::uint8_t* to, int step, int count, int ink, int opacity) {
  if (step == 1) {
    for (int i = 0; i < count; ++i) mix_into(to[i], ink, opacity);
  } else {
    for (int i = 0; i < count; ++i) mix_into(to[std::ptrdiff_t{step} * i], ink, opacity);
  }
}

/// Bytes, each with its own ink and opacity.
UAD_SIMD
void mix_row(std::uint8_t* __restrict to, const std::uint8_t* __restrict inks,
             const std::uint16_t* __restrict opacities, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto own = static_cast<std::uint16_t>(to[i] * (kOpaque - opacities[i]));
    const auto other = static_cast<std::uint16_t>(inks[i] * opacities[i]);
    to[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(own + other + 128) >> 8);
  }
}

/// Lays one component of the dabs out as the bytes of a row, `kStep` apart.
/// @param count  samples; a dab covers kPixels of them.
template <int kStep, int kPixels>
inline void lay_out(std::span<const Dab> dabs, std::size_t component, std::uint8_t* __restrict inks,
                    std::uint16_t* __restrict opacities, std::size_t count) {
  for (std::size_t i = 0; i < count / kPixels; ++i) {
    const Dab& dab = dabs[i];
    for (std::size_t k = kPixels * i; k < kPixels * (i + 1); ++k) {
      inks[kStep * k] = static_cast<std::uint8_t>(dab.ink[component]);
      opacities[kStep * k] = dab.opacity;
    }
  }
  if (count % kPixels != 0) {  // half a block at the edge
    inks[kStep * (count - 1)] = static_cast<std::uint8_t>(dabs.back().ink[component]);
    opacities[kStep * (count - 1)] = dabs.back().opacity;
  }
}

UAD_SIMD
void lay_out_pixels(std::span<const Dab> dabs, std::size_t component, int step, std::uint8_t* inks,
                    std::uint16_t* opacities, std::size_t count) {
  switch (step) {
    case 1:
      return lay_out<1, 2>(dabs, component, inks, opacities, count);
    case 2:
      return lay_out<2, 2>(dabs, component, inks, opacities, count);
    case 3:
      return lay_out<3, 2>(dabs, component, inks, opacities, count);
    default:
      return lay_out<4, 2>(dabs, component, inks, opacities, count);
  }
}

UAD_SIMD
void lay_out_chroma(std::span<const Dab> dabs, std::size_t component, int step, std::uint8_t* inks,
                    std::uint16_t* opacities, std::size_t count) {
  switch (step) {
    case 1:
      return lay_out<1, 1>(dabs, component, inks, opacities, count);
    case 2:
      return lay_out<2, 1>(dabs, component, inks, opacities, count);
    default:
      return lay_out<4, 1>(dabs, component, inks, opacities, count);
  }
}

std::uint16_t to_byte(double value) {
  return static_cast<std::uint16_t>(std::clamp(std::lround(value), 0L, 255L));
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

Canvas::Canvas(const MutableFrameView& frame)
    : frame_(frame),
      layout_(pixel_layout(frame.format)),
      wide_(frame.format == PixelFormat::kGray16) {
  if (frame.width <= 0 || frame.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A frame to paint on must have at least one pixel, but is {}.",
                            to_string(Size{frame.width, frame.height})));
  }
  require_whole(frame);
}

Ink Canvas::ink(Colour colour) const {
  if (layout_.yuv) return yuv_ink(colour, frame_.colorimetry);
  if (!grey()) return {colour.red, colour.green, colour.blue};
  const int white = wide_ ? frame_.white_level : 255;
  return {static_cast<std::uint16_t>((brightness(colour) * white + 127) / 255), 0, 0};
}

Canvas::Samples Canvas::samples_of(std::size_t component, const Rect& blocks) const {
  const bool across = shared(component);
  const bool down = across && layout_.chroma_rows == 2;
  const int right = blocks.x + blocks.width;
  const int bottom = blocks.y + blocks.height;
  return {across ? blocks.x : 2 * blocks.x, across ? right : std::min(2 * right, width()),
          down ? blocks.y : 2 * blocks.y, down ? bottom : std::min(2 * bottom, height())};
}

void Canvas::blend_blocks(int block_x, int block_y, std::span<const Dab> dabs) {
  if (dabs.empty()) return;
  const Rect blocks{block_x, block_y, static_cast<int>(dabs.size()), 1};
  if (wide_) return blend_grey16(samples_of(0, blocks), dabs);
  for (std::size_t plane = 0; plane < layout_.planes(); ++plane) blend_plane(plane, blocks, dabs);
}

void Canvas::blend_plane(std::size_t plane, const Rect& blocks, std::span<const Dab> dabs) {
  constexpr std::size_t kMostBytes = 8;  // of a block in one row
  inks_.resize(kMostBytes * dabs.size());
  opacities_.assign(inks_.size(), 0);
  std::size_t bytes = 0;
  Samples rows{};
  std::uint8_t* start = nullptr;  // of the run in the first row
  for (std::size_t c = 0; c < layout_.count; ++c) {
    const Component& component = layout_.components[c];
    if (component.plane != plane) continue;
    rows = samples_of(c, blocks);
    start = at(c, rows.top, rows.left) - component.offset;
    const auto count = static_cast<std::size_t>(rows.right - rows.left);
    const auto offset = static_cast<std::size_t>(component.offset);
    (shared(c) ? lay_out_chroma : lay_out_pixels)(dabs, c, component.step, inks_.data() + offset,
                                                  opacities_.data() + offset, count);
    bytes = std::max(bytes, offset + static_cast<std::size_t>(component.step) * (count - 1) + 1);
  }
  for (int row = rows.top; row < rows.bottom; ++row, start += frame_.planes[plane].stride) {
    mix_row(start, inks_.data(), opacities_.data(), bytes);
  }
}

void Canvas::blend_grey16(const Samples& samples, std::span<const Dab> dabs) {
  for (int row = samples.top; row < samples.bottom; ++row) {
    for (int x = samples.left; x < samples.right; ++x) {
      const Dab& dab = dabs[static_cast<std::size_t>(x - samples.left) / 2];
      mix(at(0, row, x), dab.ink[0], dab.opacity);
    }
  }
}

void Canvas::fill(const Rect& rect, const Ink& ink, int opacity) {
  if (rect.empty()) return;
  const int left = std::max(rect.x, 0) / 2;
  const int top = std::max(rect.y, 0) / 2;
  const int right = std::min((rect.x + rect.width + 1) / 2, blocks().width);
  const int bottom = std::min((rect.y + rect.height + 1) / 2, blocks().height);
  if (left >= right || top >= bottom) return;
  for (std::size_t c = 0; c < layout_.count; ++c) {
    const Samples samples = samples_of(c, {left, top, right - left, bottom - top});
    const int step = layout_.components[c].step;
    for (int row = samples.top; row < samples.bottom; ++row) {
      if (!wide_) {
        mix_run(at(c, row, samples.left), step, samples.right - samples.left, ink[c], opacity);
        continue;
      }
      for (int x = samples.left; x < samples.right; ++x) mix(at(c, row, x), ink[c], opacity);
    }
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
      for (int x = left; x < left + thickness; ++x) fill({2 * x, 2 * y, 2, 2}, ink);
    }
  }
}

void Canvas::stamp(Point top_left, const cv::Mat1b& mask, const Ink& ink) {
  const int left = std::max(top_left.x, 0);
  const int top = std::max(top_left.y, 0);
  const int right = std::min(top_left.x + mask.cols, width());
  const int bottom = std::min(top_left.y + mask.rows, height());
  if (left >= right) return;
  const int rows = layout_.chroma_rows;
  const std::size_t of_pixel = layout_.yuv ? 1 : layout_.count;  // components each pixel has
  std::vector<int> covered(static_cast<std::size_t>((right - 1) / 2 - left / 2 + 1));
  for (int y = top; y < bottom; ++y) {
    const std::uint8_t* const cover = mask[y - top_left.y];
    for (int x = left; x < right; ++x) {
      const int opacity = (cover[x - top_left.x] * kOpaque + 127) / 255;
      if (opacity == 0) continue;
      for (std::size_t c = 0; c < of_pixel; ++c) mix(at(c, y, x), ink[c], opacity);
      covered[static_cast<std::size_t>(x / 2 - left / 2)] += opacity;
    }
    if (!layout_.yuv || ((y + 1) % rows != 0 && y + 1 != bottom)) continue;
    for (int& sum : covered) {
      const int column = left / 2 + static_cast<int>(&sum - covered.data());
      const int mean = std::exchange(sum, 0) / (2 * rows);
      if (mean == 0) continue;
      mix(at(1, y / rows, column), ink[1], mean);
      mix(at(2, y / rows, column), ink[2], mean);
    }
  }
}

}  // namespace uad

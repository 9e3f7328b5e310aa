// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawing into a frame of any pixel format, without converting it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <opencv2/core/mat.hpp>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/colour.h"
#include "core/base/pixels/frame_view.h"

namespace uad {

/// A colour in the components of one frame: R G B, or Y U V, or one grey level.
using Ink = std::array<std::uint8_t, 3>;

/// 256 = opaque.
inline constexpr int kOpaque = 256;

inline void mix_into(std::uint8_t& byte, std::uint8_t ink, int opacity) {
  byte = static_cast<std::uint8_t>((byte * (kOpaque - opacity) + ink * opacity + 128) >> 8);
}

/// Shapes are made of blocks of 2x2 pixels, the area of one chroma sample: what is drawn looks the
/// same in every format, and no pixel outside of it changes. Everything is clipped to the frame.
/// @note One thread; the frame must outlive it.
class Canvas {
 public:
  /// @throws Error(kShapeMismatch) if the frame is empty or a plane is missing.
  explicit Canvas(const MutableFrameView& frame);

  [[nodiscard]] int width() const noexcept { return frame_.width; }
  [[nodiscard]] int height() const noexcept { return frame_.height; }
  [[nodiscard]] bool grey() const noexcept { return frame_.format == PixelFormat::kGray8; }
  /// The frame's size in blocks.
  [[nodiscard]] Size blocks() const noexcept { return {(width() + 1) / 2, (height() + 1) / 2}; }
  [[nodiscard]] Ink ink(Colour colour) const;

  /// Mixes one block with `ink`. @param opacity 0…kOpaque
  void blend_block(int block_x, int block_y, const Ink& ink, int opacity);
  /// A filled rectangle in pixels, grown to whole blocks.
  void fill(const Rect& rect, const Ink& ink, int opacity = kOpaque);
  /// A frame of lines around `rect`, `thickness` blocks wide, inside it.
  void outline(const Rect& rect, int thickness, const Ink& ink);
  /// A line between two points in pixels, `thickness` blocks wide.
  void line(double x0, double y0, double x1, double y1, int thickness, const Ink& ink);
  /// Draws `ink` where the mask (uint8, 255 = opaque) says so. Chroma takes the mean of a block.
  void stamp(Point top_left, const cv::Mat1b& mask, const Ink& ink);

 private:
  [[nodiscard]] std::uint8_t* at(std::size_t plane, int y) const {
    return frame_.planes[plane].data + frame_.planes[plane].stride * y;
  }
  /// The sample of U (component 1) or V (2) of a block.
  [[nodiscard]] std::uint8_t* chroma(std::size_t component, int block_x, int block_y) const {
    const bool interleaved = chroma_step_ == 2;
    return at(interleaved ? 1 : component, block_y) + std::ptrdiff_t{chroma_step_} * block_x +
           (interleaved && component == 2 ? 1 : 0);
  }
  void blend_chroma(int block_x, int block_y, const Ink& ink, int opacity) {
    mix_into(*chroma(1, block_x, block_y), ink[1], opacity);
    mix_into(*chroma(2, block_x, block_y), ink[2], opacity);
  }
  void blend_pixel(std::uint8_t* pixel, const Ink& ink, int opacity) {
    mix_into(pixel[offsets_[0]], ink[0], opacity);
    if (components_ == 1) return;
    mix_into(pixel[offsets_[1]], ink[1], opacity);
    mix_into(pixel[offsets_[2]], ink[2], opacity);
  }

  MutableFrameView frame_;
  int step_ = 1;                         // bytes from pixel to pixel in plane 0
  int components_ = 1;                   // of plane 0
  std::array<int, 3> offsets_{0, 0, 0};  // of the components inside a pixel
  bool yuv_ = false;
  int chroma_step_ = 1;
};

// In the header because the tint calls it for every block.
inline void Canvas::blend_block(int block_x, int block_y, const Ink& ink, int opacity) {
  const int x = 2 * block_x;
  const int y = 2 * block_y;
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  const int rows = y + 1 < height() ? 2 : 1;
  for (int row = y; row < y + rows; ++row) {
    std::uint8_t* const pixel = at(0, row) + std::ptrdiff_t{step_} * x;
    blend_pixel(pixel, ink, opacity);
    if (x + 1 < width()) blend_pixel(pixel + step_, ink, opacity);
  }
  if (yuv_) blend_chroma(block_x, block_y, ink, opacity);
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawing into a frame of any pixel format, without converting it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/colour.h"
#include "core/base/pixels/frame_view.h"
#include "core/base/pixels/pixel_layout.h"

namespace uad {

/// A colour in the components of one frame: R G B, or Y U V, or one grey level.
using Ink = std::array<std::uint16_t, 3>;

inline constexpr int kOpaque = 256;

template <class Sample>
void mix_into(Sample& sample, int ink, int opacity) {
  sample = static_cast<Sample>((sample * (kOpaque - opacity) + ink * opacity + 128) >> 8);
}

/// Paint for one block.
struct Dab {
  Ink ink{};
  std::uint16_t opacity = 0;  ///< 0…kOpaque
};

/// Shapes are made of blocks of 2x2 pixels, the area of one chroma sample: what is drawn looks the
/// same in every format, and no pixel outside of it changes. Everything is clipped to the frame.
/// @note One thread; the frame must outlive it.
class Canvas {
 public:
  /// @throws Error(kShapeMismatch) if the frame is empty or a plane is missing.
  explicit Canvas(const MutableFrameView& frame);

  [[nodiscard]] int width() const noexcept { return frame_.width; }
  [[nodiscard]] int height() const noexcept { return frame_.height; }
  [[nodiscard]] bool grey() const noexcept { return layout_.count == 1; }
  /// The frame's size in blocks.
  [[nodiscard]] Size blocks() const noexcept { return {(width() + 1) / 2, (height() + 1) / 2}; }
  [[nodiscard]] Ink ink(Colour colour) const;

  /// Mixes neighbouring blocks of one row, from `block_x` on, each with its own dab. They must lie
  /// inside the frame.
  void blend_blocks(int block_x, int block_y, std::span<const Dab> dabs);
  /// A filled rectangle in pixels, grown to whole blocks.
  void fill(const Rect& rect, const Ink& ink, int opacity = kOpaque);
  /// A frame of lines around `rect`, `thickness` blocks wide, inside it.
  void outline(const Rect& rect, int thickness, const Ink& ink);
  /// A line between two points in pixels, `thickness` blocks wide.
  void line(double x0, double y0, double x1, double y1, int thickness, const Ink& ink);
  /// Draws `ink` where the mask (uint8, 255 = opaque) says so. Chroma takes the mean of its pixels.
  void stamp(Point top_left, const cv::Mat1b& mask, const Ink& ink);

 private:
  /// Samples of one component that belong to a row of blocks: columns and rows of its own plane.
  struct Samples {
    int left, right, top, bottom;
  };
  [[nodiscard]] bool shared(std::size_t component) const { return layout_.yuv && component > 0; }
  [[nodiscard]] Samples samples_of(std::size_t component, const Rect& blocks) const;
  [[nodiscard]] std::uint8_t* at(std::size_t component, int row, int column) const {
    const Component& c = layout_.components[component];
    const auto& plane = frame_.planes[c.plane];
    return plane.data + plane.stride * row + c.offset + std::ptrdiff_t{c.step} * column;
  }
  void mix(std::uint8_t* sample, int ink, int opacity) const {
    if (!wide_) return mix_into(*sample, ink, opacity);
    auto value = static_cast<std::uint16_t>(sample[0] | sample[1] << 8);
    mix_into(value, ink, opacity);
    sample[0] = static_cast<std::uint8_t>(value & 0xFF);
    sample[1] = static_cast<std::uint8_t>(value >> 8);
  }
  void blend_plane(std::size_t plane, const Rect& blocks, std::span<const Dab> dabs);
  void blend_grey16(const Samples& samples, std::span<const Dab> dabs);

  MutableFrameView frame_;
  PixelLayout layout_;
  bool wide_ = false;  // samples of 16 bits
  // One row of bytes: what to mix in, and how much of it.
  std::vector<std::uint8_t> inks_;
  std::vector<std::uint16_t> opacities_;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour conversion, row by row: any pixel layout in, planes of 16-bit integers out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/frame_view.h"
#include "core/base/pixels/pixel_layout.h"

namespace uad {

/// Fixed-point factors of YUV → RGB, in 1/256. Source: videoconvert, whose roundings are part of
/// what a model has learned.
struct YuvFactors {
  std::int16_t luma, red_v, blue_u, green_u, green_v;
};
YuvFactors yuv_factors(const Colorimetry& colorimetry);

/// Reads a part of a frame. The frame must outlive it. @note One thread.
class RgbRows {
 public:
  /// @throws Error(kShapeMismatch) if `part` is not inside the frame or a plane is missing.
  RgbRows(const FrameView& frame, const Rect& part);

  [[nodiscard]] int width() const noexcept { return part_.width; }
  [[nodiscard]] int height() const noexcept { return part_.height; }
  /// 1 for grey frames, 3 for all others.
  [[nodiscard]] int channels() const noexcept { return static_cast<int>(layout_.count); }
  /// Writes row `y` of the part, 0…255, as int16 [channels][width]: red, green, blue, or grey.
  void read(int y, const std::array<std::int16_t*, 3>& planes);

 private:
  /// One row of chroma stretched to the pixels' width.
  struct ChromaRow {
    int row = -1;
    std::vector<std::int16_t> u, v;
  };
  /// Sample `column` of a component, in a row of its own plane.
  [[nodiscard]] const std::uint8_t* at(std::size_t component, int row, int column) const;
  void read_packed(int y, const std::array<std::int16_t*, 3>& planes) const;
  void read_yuv(int y, const std::array<std::int16_t*, 3>& planes);
  void repeat_chroma(int row);
  void blend_chroma(int frame_y);
  const ChromaRow& smooth_row(int row);
  void smooth(std::size_t component, int row, std::vector<std::int16_t>& to);

  FrameView frame_;
  Rect part_;
  PixelLayout layout_;
  YuvFactors factors_;
  std::array<ChromaRow, 2> chroma_;     // smooth: neighbours in the frame, even and odd rows
  std::vector<std::int16_t> gathered_;  // the chroma samples of one row and one to each side
  int repeated_row_ = -1;               // not smooth: the chroma row in u_ and v_
  std::vector<std::int16_t> u_, v_;     // of the row being read, as 257 · (sample − 128)
  std::vector<std::uint8_t> luma_;      // of the row being read, where it does not lie packed
};

/// int16 planes, 0…255 → packed red, green, blue.
void interleave(const std::array<const std::int16_t*, 3>& planes, std::size_t width,
                std::uint8_t* to);

}  // namespace uad

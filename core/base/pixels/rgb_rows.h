// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour conversion, row by row: any pixel layout in, planes of 16-bit integers out.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/frame_view.h"

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
  [[nodiscard]] int channels() const noexcept {
    return frame_.format == PixelFormat::kGray8 ? 1 : 3;
  }
  /// Writes row `y` of the part, 0…255, as int16 [channels][width]: red, green, blue, or grey.
  void read(int y, const std::array<std::int16_t*, 3>& planes);

 private:
  /// One chroma row stretched to the pixels' width.
  struct ChromaRow {
    int row = -1;
    std::vector<std::int16_t> u, v;
  };
  [[nodiscard]] const std::uint8_t* row_at(std::size_t plane, int y) const;
  void read_yuv(int y, const std::array<std::int16_t*, 3>& planes);
  const ChromaRow& chroma_row(int row);
  void fill_chroma(const std::uint8_t* samples, int step, std::vector<std::int16_t>& to);

  FrameView frame_;
  Rect part_;
  YuvFactors factors_;
  std::array<ChromaRow, 2> chroma_;     // neighbours in the frame: even and odd chroma rows
  std::vector<std::int16_t> gathered_;  // the chroma samples of one row and one to each side
  int spread_row_ = -1;                 // I420: the chroma row in u_ and v_
  std::vector<std::int16_t> u_, v_;     // of the row being read, as 257 · (sample − 128)
};

}  // namespace uad

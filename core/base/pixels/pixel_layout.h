// SPDX-License-Identifier: LGPL-2.1-or-later
// How the bytes of each pixel format lie; one table for reading and painting.
#pragma once

#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/frame_view.h"

namespace uad {

/// Where red, green and blue lie inside a pixel of `step` bytes.
struct PackedLayout {
  int step, red, green, blue;
  /// Byte of whichever comes first; green is always in the middle.
  [[nodiscard]] int lowest() const { return red < blue ? red : blue; }
};

/// Of the RGB family; grey and luma planes have one byte a pixel.
inline PackedLayout packed_layout(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
      return {3, 0, 1, 2};
    case PixelFormat::kBgr:
      return {3, 2, 1, 0};
    case PixelFormat::kRgbx:
      return {4, 0, 1, 2};
    case PixelFormat::kBgrx:
      return {4, 2, 1, 0};
    case PixelFormat::kXrgb:
      return {4, 1, 2, 3};
    case PixelFormat::kXbgr:
      return {4, 3, 2, 1};
    default:
      return {1, 0, 0, 0};
  }
}

inline bool is_yuv(PixelFormat format) {
  return format == PixelFormat::kI420 || format == PixelFormat::kNv12;
}

/// @throws Error(kShapeMismatch) if a plane of the format is missing.
template <class Byte>
void require_planes(const BasicFrameView<Byte>& frame) {
  const std::size_t count = frame.format == PixelFormat::kI420   ? 3
                            : frame.format == PixelFormat::kNv12 ? 2
                                                                 : 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (frame.planes[i].data == nullptr) {
      throw Error(
          ErrorCode::kShapeMismatch,
          fmt::format("A frame of this format has {} planes, but plane {} is missing.", count, i));
    }
  }
}

/// Share of red and blue in luma. Source: ITU-R BT.601, BT.709, BT.2020.
struct LumaShares {
  double red, blue;
};
inline LumaShares luma_shares(YuvMatrix matrix) {
  if (matrix == YuvMatrix::kBt709) return {0.2126, 0.0722};
  if (matrix == YuvMatrix::kBt2020) return {0.2627, 0.0593};
  return {0.299, 0.114};
}

}  // namespace uad

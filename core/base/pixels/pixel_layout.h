// SPDX-License-Identifier: LGPL-2.1-or-later
// How the bytes of each pixel format lie; one table for reading and painting.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/frame_view.h"

namespace uad {

/// Where the samples of one component lie in a row. Units: bytes.
struct Component {
  std::size_t plane = 0;
  int offset = 0;  ///< of the first sample
  int step = 1;    ///< from sample to sample
};

struct PixelLayout {
  std::size_t count = 3;                  ///< of components; 1 for grey
  std::array<Component, 3> components{};  ///< red green blue, or Y U V, or grey
  bool yuv = false;                       ///< two pixels across share a sample of U and of V …
  int chroma_rows = 1;                    ///< … and so do these many rows
  /// Whether chroma is interpolated between its samples. Videoconvert's choice, not the format's.
  bool smooth_chroma = false;

  [[nodiscard]] std::size_t planes() const {
    return 1 + std::max(components[1].plane, components[2].plane);
  }
};

inline PixelLayout pixel_layout(PixelFormat format) {
  const auto grey = [](int step) { return PixelLayout{1, {{{0, 0, step}}}}; };
  const auto packed = [](int step, int red, int green, int blue) {
    return PixelLayout{3, {{{0, red, step}, {0, green, step}, {0, blue, step}}}};
  };
  const auto yuv = [](Component y, Component u, Component v, int chroma_rows, bool smooth) {
    return PixelLayout{3, {{y, u, v}}, true, chroma_rows, smooth};
  };
  switch (format) {
    case PixelFormat::kGray8:
      return grey(1);
    case PixelFormat::kGray16:
      return grey(2);
    case PixelFormat::kRgb:
      return packed(3, 0, 1, 2);
    case PixelFormat::kBgr:
      return packed(3, 2, 1, 0);
    case PixelFormat::kRgbx:
      return packed(4, 0, 1, 2);
    case PixelFormat::kBgrx:
      return packed(4, 2, 1, 0);
    case PixelFormat::kXrgb:
      return packed(4, 1, 2, 3);
    case PixelFormat::kXbgr:
      return packed(4, 3, 2, 1);
    case PixelFormat::kI420:
      return yuv({0, 0, 1}, {1, 0, 1}, {2, 0, 1}, 2, false);
    case PixelFormat::kYv12:
      return yuv({0, 0, 1}, {2, 0, 1}, {1, 0, 1}, 2, false);
    case PixelFormat::kNv12:
      return yuv({0, 0, 1}, {1, 0, 2}, {1, 1, 2}, 2, true);
    case PixelFormat::kNv21:
      return yuv({0, 0, 1}, {1, 1, 2}, {1, 0, 2}, 2, true);
    case PixelFormat::kYuy2:
      return yuv({0, 0, 2}, {0, 1, 4}, {0, 3, 4}, 1, true);
    case PixelFormat::kUyvy:
      return yuv({0, 1, 2}, {0, 0, 4}, {0, 2, 4}, 1, true);
  }
  throw Error(ErrorCode::kShapeMismatch, "This pixel format is not known.");
}

/// @throws Error(kShapeMismatch) if a plane of the format is missing, or 16-bit grey has no white.
template <class Byte>
void require_whole(const BasicFrameView<Byte>& frame) {
  const std::size_t count = pixel_layout(frame.format).planes();
  for (std::size_t i = 0; i < count; ++i) {
    if (frame.planes[i].data == nullptr) {
      throw Error(
          ErrorCode::kShapeMismatch,
          fmt::format("A frame of this format has {} planes, but plane {} is missing.", count, i));
    }
  }
  if (frame.white_level < 1 || frame.white_level > kFullWhite) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The white level of a frame must be 1 to {}, but is {}.", kFullWhite,
                            frame.white_level));
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

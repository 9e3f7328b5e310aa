// SPDX-License-Identifier: LGPL-2.1-or-later
// A borrowed look at one video frame: format, planes with strides, colorimetry. No GStreamer type,
// no copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace uad {

/// Pixel layouts that are read and painted without a converter. `x` is padding or alpha; it is
/// ignored on reading and left alone on painting. kGray16 is little-endian.
enum class PixelFormat {
  kGray8,
  kGray16,
  kRgb,
  kBgr,
  kRgbx,
  kBgrx,
  kXrgb,
  kXbgr,
  kI420,
  kYv12,
  kNv12,
  kNv21,
  kYuy2,
  kUyvy
};

enum class YuvMatrix { kBt601, kBt709, kBt2020 };
enum class YuvRange { kLimited, kFull };  ///< 16…235 / 16…240, or 0…255

enum class ChromaSite { kCentred, kLeft };  ///< horizontally; "mpeg2" caps are kLeft

struct Colorimetry {
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kLimited;
  ChromaSite chroma_site = ChromaSite::kCentred;
  bool operator==(const Colorimetry&) const = default;
};

/// `Byte` is `const std::uint8_t` (reading) or `std::uint8_t` (painting).
template <class Byte>
struct BasicPlane {
  Byte* data = nullptr;
  std::ptrdiff_t stride =
      0;  ///< bytes from one row to the next; may exceed the row, may be negative
};

/// Value of white in 16-bit grey that uses all bits.
inline constexpr int kFullWhite = 65535;

/// Planes: one for grey, the RGB family, YUY2 and UYVY; Y U V for I420, Y V U for YV12; Y and both
/// chromas for NV12 and NV21. Chroma has (width+1)/2 samples a row, and in planes of its own
/// (height+1)/2 rows. Colorimetry matters for the YUV formats only (grey is taken as it is).
template <class Byte>
struct BasicFrameView {
  PixelFormat format = PixelFormat::kGray8;
  int width = 0;
  int height = 0;
  std::array<BasicPlane<Byte>, 3> planes{};
  Colorimetry colorimetry{};
  int white_level = kFullWhite;  ///< kGray16: shown as white, and all above; 4095 for Mono12
};

using FrameView = BasicFrameView<const std::uint8_t>;
using MutableFrameView = BasicFrameView<std::uint8_t>;

/// The same frame, read-only.
inline FrameView as_const(const MutableFrameView& frame) {
  FrameView view{frame.format, frame.width, frame.height, {}, frame.colorimetry, frame.white_level};
  for (std::size_t i = 0; i < view.planes.size(); ++i) {
    view.planes[i] = {frame.planes[i].data, frame.planes[i].stride};
  }
  return view;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// A frame of seeded noise in any format, with padded rows whose padding must survive.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/pixels/frame_view.h"

namespace uad::testing {

inline constexpr std::array kEveryFormat{
    PixelFormat::kGray8, PixelFormat::kGray16, PixelFormat::kRgb,  PixelFormat::kBgr,
    PixelFormat::kRgbx,  PixelFormat::kBgrx,   PixelFormat::kXrgb, PixelFormat::kXbgr,
    PixelFormat::kI420,  PixelFormat::kYv12,   PixelFormat::kNv12, PixelFormat::kNv21,
    PixelFormat::kYuy2,  PixelFormat::kUyvy};

inline bool is_grey(PixelFormat format) {
  return format == PixelFormat::kGray8 || format == PixelFormat::kGray16;
}

struct NoiseFrame {
  static constexpr int kPadding = 5;  // bytes after each row
  MutableFrameView view;
  std::array<std::vector<std::uint8_t>, 3> bytes;

  NoiseFrame(PixelFormat format, int width, int height, Colorimetry colorimetry = {}) {
    view.format = format;
    view.width = width;
    view.height = height;
    view.colorimetry = colorimetry;
    const int chroma_width = (width + 1) / 2;
    const int chroma_height = (height + 1) / 2;
    if (format == PixelFormat::kI420 || format == PixelFormat::kYv12) {
      add_plane(0, width, height);
      add_plane(1, chroma_width, chroma_height);
      add_plane(2, chroma_width, chroma_height);
    } else if (format == PixelFormat::kNv12 || format == PixelFormat::kNv21) {
      add_plane(0, width, height);
      add_plane(1, 2 * chroma_width, chroma_height);
    } else if (format == PixelFormat::kYuy2 || format == PixelFormat::kUyvy) {
      add_plane(0, 4 * chroma_width, height);
    } else {
      const bool packed3 = format == PixelFormat::kRgb || format == PixelFormat::kBgr;
      const int bytes = format == PixelFormat::kGray8    ? 1
                        : format == PixelFormat::kGray16 ? 2
                        : packed3                        ? 3
                                                         : 4;
      add_plane(0, bytes * width, height);
    }
  }

  /// A copy has bytes of its own.
  NoiseFrame(const NoiseFrame& other) : view(other.view), bytes(other.bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) view.planes[i].data = bytes[i].data();
  }
  NoiseFrame& operator=(const NoiseFrame&) = delete;

  /// RGB of one pixel, decoded exactly; chroma from the sample that covers it.
  [[nodiscard]] std::array<double, 3> rgb(int x, int y) const {
    const auto byte = [&](std::size_t plane, int column, int row) {
      return static_cast<double>(view.planes[plane].data[view.planes[plane].stride * row + column]);
    };
    switch (view.format) {
      case PixelFormat::kGray8:
        return {byte(0, x, y), byte(0, x, y), byte(0, x, y)};
      case PixelFormat::kGray16: {
        const double grey = byte(0, 2 * x, y) + 256 * byte(0, 2 * x + 1, y);
        const double level = std::min(grey / view.white_level, 1.0) * 255;
        return {level, level, level};
      }
      case PixelFormat::kRgb:
        return {byte(0, 3 * x, y), byte(0, 3 * x + 1, y), byte(0, 3 * x + 2, y)};
      case PixelFormat::kBgr:
        return {byte(0, 3 * x + 2, y), byte(0, 3 * x + 1, y), byte(0, 3 * x, y)};
      case PixelFormat::kRgbx:
        return {byte(0, 4 * x, y), byte(0, 4 * x + 1, y), byte(0, 4 * x + 2, y)};
      case PixelFormat::kBgrx:
        return {byte(0, 4 * x + 2, y), byte(0, 4 * x + 1, y), byte(0, 4 * x, y)};
      case PixelFormat::kXrgb:
        return {byte(0, 4 * x + 1, y), byte(0, 4 * x + 2, y), byte(0, 4 * x + 3, y)};
      case PixelFormat::kXbgr:
        return {byte(0, 4 * x + 3, y), byte(0, 4 * x + 2, y), byte(0, 4 * x + 1, y)};
      case PixelFormat::kI420:
        return from_yuv(byte(0, x, y), byte(1, x / 2, y / 2), byte(2, x / 2, y / 2));
      case PixelFormat::kYv12:
        return from_yuv(byte(0, x, y), byte(2, x / 2, y / 2), byte(1, x / 2, y / 2));
      case PixelFormat::kNv12:
        return from_yuv(byte(0, x, y), byte(1, x / 2 * 2, y / 2), byte(1, x / 2 * 2 + 1, y / 2));
      case PixelFormat::kNv21:
        return from_yuv(byte(0, x, y), byte(1, x / 2 * 2 + 1, y / 2), byte(1, x / 2 * 2, y / 2));
      case PixelFormat::kYuy2:
        return from_yuv(byte(0, 2 * x, y), byte(0, x / 2 * 4 + 1, y), byte(0, x / 2 * 4 + 3, y));
      case PixelFormat::kUyvy:
        break;
    }
    return from_yuv(byte(0, 2 * x + 1, y), byte(0, x / 2 * 4, y), byte(0, x / 2 * 4 + 2, y));
  }

 private:
  void add_plane(std::size_t plane, int row_bytes, int rows) {
    const int stride = row_bytes + kPadding;
    bytes[plane].resize(static_cast<std::size_t>(stride) * static_cast<std::size_t>(rows));
    unsigned state = 17 + static_cast<unsigned>(plane);
    for (auto& byte : bytes[plane]) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(state >> 24);
    }
    view.planes[plane] = {bytes[plane].data(), stride};
  }

  [[nodiscard]] std::array<double, 3> from_yuv(double y, double u, double v) const {
    const auto [kr, kb] = view.colorimetry.matrix == YuvMatrix::kBt709 ? std::array{0.2126, 0.0722}
                          : view.colorimetry.matrix == YuvMatrix::kBt2020
                              ? std::array{0.2627, 0.0593}
                              : std::array{0.299, 0.114};
    const bool full = view.colorimetry.range == YuvRange::kFull;
    const double luma = full ? y : (y - 16) * 255 / 219;
    const double cb = (u - 128) * (full ? 1 : 255.0 / 224);
    const double cr = (v - 128) * (full ? 1 : 255.0 / 224);
    const double red = luma + 2 * (1 - kr) * cr;
    const double blue = luma + 2 * (1 - kb) * cb;
    const double green = (luma - kr * red - kb * blue) / (1 - kr - kb);
    return {red, green, blue};
  }
};

}  // namespace uad::testing

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/pixels/image.h"

namespace {

using uad::FrameView;
using uad::Image;
using uad::PixelFormat;
using uad::Rect;
using Bytes = std::vector<std::uint8_t>;

FrameView one_plane(PixelFormat format, int width, int height, const std::uint8_t* data,
                    std::ptrdiff_t stride) {
  FrameView frame;
  frame.format = format;
  frame.width = width;
  frame.height = height;
  frame.planes[0] = {data, stride};
  return frame;
}

struct Layout {
  PixelFormat format;
  Bytes pixel;
};

TEST(ToRgb, EveryPackedLayoutGivesRedGreenBlue) {
  const std::vector<Layout> layouts{
      {PixelFormat::kRgb, {10, 20, 30}},      {PixelFormat::kBgr, {30, 20, 10}},
      {PixelFormat::kRgbx, {10, 20, 30, 99}}, {PixelFormat::kBgrx, {30, 20, 10, 99}},
      {PixelFormat::kXrgb, {99, 10, 20, 30}}, {PixelFormat::kXbgr, {99, 30, 20, 10}},
  };
  for (const Layout& layout : layouts) {
    const auto frame = one_plane(layout.format, 1, 1, layout.pixel.data(), 4);
    EXPECT_EQ(uad::to_rgb(frame, {0, 0, 1, 1}).pixels, (Bytes{10, 20, 30}))
        << static_cast<int>(layout.format);
  }
}

TEST(ToRgb, PaddedRowsAreSkipped) {
  const Bytes padded{1, 2, 3, 0, 0, 4, 5, 6, 0, 0};
  const auto frame = one_plane(PixelFormat::kRgb, 1, 2, padded.data(), 5);
  EXPECT_EQ(uad::to_rgb(frame, {0, 0, 1, 2}).pixels, (Bytes{1, 2, 3, 4, 5, 6}));
}

TEST(ToRgb, NegativeStrideReadsBottomUp) {
  const Bytes rows{1, 2, 3, 4, 5, 6};
  const auto frame = one_plane(PixelFormat::kRgb, 1, 2, rows.data() + 3, -3);
  EXPECT_EQ(uad::to_rgb(frame, {0, 0, 1, 2}).pixels, (Bytes{4, 5, 6, 1, 2, 3}));
}

TEST(ToRgb, GreyIsReplicated) {
  const Bytes grey{7, 9};
  const auto frame = one_plane(PixelFormat::kGray8, 2, 1, grey.data(), 2);
  EXPECT_EQ(uad::to_rgb(frame, {0, 0, 2, 1}).pixels, (Bytes{7, 7, 7, 9, 9, 9}));
}

/// A planar frame of noise with rows padded by 5 bytes.
struct YuvFrame {
  Bytes luma, u, v;
  FrameView view;
  YuvFrame(PixelFormat format, int width, int height, uad::Colorimetry colorimetry = {}) {
    const int chroma_width = (width + 1) / 2 * (format == PixelFormat::kNv12 ? 2 : 1);
    const int chroma_height = (height + 1) / 2;
    const auto fill = [](int rows, int stride, unsigned seed) {
      Bytes bytes(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride));
      for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
      return bytes;
    };
    luma = fill(height, width + 5, 1);
    u = fill(chroma_height, chroma_width + 5, 2);
    v = fill(chroma_height, chroma_width + 5, 3);
    view.format = format;
    view.width = width;
    view.height = height;
    view.colorimetry = colorimetry;
    view.planes[0] = {luma.data(), width + 5};
    view.planes[1] = {u.data(), chroma_width + 5};
    if (format == PixelFormat::kI420) view.planes[2] = {v.data(), chroma_width + 5};
  }
};

TEST(ToRgb, PartEqualsTheCropOfTheWholeFrame) {
  for (const auto format : {PixelFormat::kI420, PixelFormat::kNv12}) {
    for (const auto site : {uad::ChromaSite::kCentred, uad::ChromaSite::kLeft}) {
      const YuvFrame frame(format, 15, 11, {.chroma_site = site});
      const Image whole = uad::to_rgb(frame.view, {0, 0, 15, 11});
      for (const Rect part : {Rect{0, 0, 1, 1}, Rect{1, 1, 1, 1}, Rect{3, 2, 7, 5},
                              Rect{4, 5, 11, 6}, Rect{14, 10, 1, 1}, Rect{0, 9, 15, 2}}) {
        EXPECT_EQ(uad::to_rgb(frame.view, part), uad::crop(whole, part)) << part.x << "," << part.y;
      }
    }
  }
}

TEST(ToRgb, FullRangeGreyIsTheLuma) {
  const Bytes luma{0, 1, 127, 255};
  const Bytes chroma{128, 128};
  FrameView frame = one_plane(PixelFormat::kI420, 4, 1, luma.data(), 4);
  frame.planes[1] = frame.planes[2] = {chroma.data(), 2};
  frame.colorimetry = {uad::YuvMatrix::kBt709, uad::YuvRange::kFull};
  const Bytes grey = uad::to_rgb(frame, {0, 0, 4, 1}).pixels;
  for (std::size_t i = 0; i < luma.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(grey[3 * i + c], luma[i], 1);
  }
}

TEST(ToRgb, PartOutsideTheFrameIsRefused) {
  const YuvFrame frame(PixelFormat::kI420, 8, 8);
  for (const Rect part :
       {Rect{-1, 0, 2, 2}, Rect{7, 0, 2, 2}, Rect{0, 0, 0, 4}, Rect{0, 0, 8, 9}}) {
    EXPECT_THROW(uad::to_rgb(frame.view, part), uad::Error);
  }
}

TEST(ToRgb, MissingPlaneIsNamed) {
  YuvFrame frame(PixelFormat::kI420, 8, 8);
  frame.view.planes[2].data = nullptr;
  try {
    uad::to_rgb(frame.view, {0, 0, 8, 8});
    FAIL() << "no error";
  } catch (const uad::Error& error) {
    EXPECT_EQ(error.code(), uad::ErrorCode::kShapeMismatch);
    EXPECT_NE(std::string(error.what()).find("plane 2"), std::string::npos);
  }
}

TEST(ToRgbResized, EqualsConvertingFirst) {
  const Rect part{3, 2, 90, 61};
  for (const auto format : {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kGray8}) {
    const YuvFrame frame(format, 97, 65);
    for (const uad::Size size : {uad::Size{32, 32}, uad::Size{90, 61}, uad::Size{128, 20}}) {
      EXPECT_EQ(uad::to_rgb_resized(frame.view, part, size),
                uad::resize_antialiased(uad::to_rgb(frame.view, part), size));
    }
  }
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/pixels/image.h"
#include "tests/core/base/pixels/noise_frame.h"

namespace {

using uad::FrameView;
using uad::Image;
using uad::PixelFormat;
using uad::Rect;
using uad::testing::kEveryFormat;
using uad::testing::NoiseFrame;
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

TEST(ToRgb, Grey16IsScaledByItsWhite) {
  const Bytes grey{0x00, 0x00, 0xFF, 0x0F, 0xFF, 0xFF, 0x08, 0x08};  // 0, 4095, 65535, 2056
  FrameView frame = one_plane(PixelFormat::kGray16, 4, 1, grey.data(), 8);
  EXPECT_EQ(uad::to_rgb(frame, {1, 0, 3, 1}).pixels, (Bytes{16, 16, 16, 255, 255, 255, 8, 8, 8}));
  frame.white_level = 4095;
  EXPECT_EQ(uad::to_rgb(frame, {0, 0, 4, 1}).pixels,
            (Bytes{0, 0, 0, 255, 255, 255, 255, 255, 255, 128, 128, 128}));
  frame.white_level = 0;
  EXPECT_THROW(uad::to_rgb(frame, {0, 0, 4, 1}), uad::Error);
}

TEST(ToRgb, Yv12IsI420WithItsChromaPlanesSwapped) {
  NoiseFrame frame(PixelFormat::kI420, 9, 7);
  const Image expected = uad::to_rgb(uad::as_const(frame.view), {0, 0, 9, 7});
  frame.view.format = PixelFormat::kYv12;
  EXPECT_NE(uad::to_rgb(uad::as_const(frame.view), {0, 0, 9, 7}), expected);
  std::swap(frame.view.planes[1], frame.view.planes[2]);
  EXPECT_EQ(uad::to_rgb(uad::as_const(frame.view), {0, 0, 9, 7}), expected);
}

TEST(ToRgb, PartEqualsTheCropOfTheWholeFrame) {
  for (const auto format : kEveryFormat) {
    for (const auto site : {uad::ChromaSite::kCentred, uad::ChromaSite::kLeft}) {
      const NoiseFrame frame(format, 15, 11, {.chroma_site = site});
      const FrameView view = uad::as_const(frame.view);
      const Image whole = uad::to_rgb(view, {0, 0, 15, 11});
      for (const Rect part : {Rect{0, 0, 1, 1}, Rect{1, 1, 1, 1}, Rect{3, 2, 7, 5},
                              Rect{4, 5, 11, 6}, Rect{14, 10, 1, 1}, Rect{0, 9, 15, 2}}) {
        EXPECT_EQ(uad::to_rgb(view, part), uad::crop(whole, part)) << part.x << "," << part.y;
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
  const NoiseFrame frame(PixelFormat::kI420, 8, 8);
  for (const Rect part :
       {Rect{-1, 0, 2, 2}, Rect{7, 0, 2, 2}, Rect{0, 0, 0, 4}, Rect{0, 0, 8, 9}}) {
    EXPECT_THROW(uad::to_rgb(uad::as_const(frame.view), part), uad::Error);
  }
}

TEST(ToRgb, MissingPlaneIsNamed) {
  NoiseFrame frame(PixelFormat::kI420, 8, 8);
  frame.view.planes[2].data = nullptr;
  try {
    uad::to_rgb(uad::as_const(frame.view), {0, 0, 8, 8});
    FAIL() << "no error";
  } catch (const uad::Error& error) {
    EXPECT_EQ(error.code(), uad::ErrorCode::kShapeMismatch);
    EXPECT_NE(std::string(error.what()).find("plane 2"), std::string::npos);
  }
}

TEST(ToRgbResized, EqualsConvertingFirst) {
  const Rect part{3, 2, 90, 61};
  for (const auto format : kEveryFormat) {
    const NoiseFrame frame(format, 97, 65);
    const FrameView view = uad::as_const(frame.view);
    for (const uad::Size size : {uad::Size{32, 32}, uad::Size{90, 61}, uad::Size{128, 20},
                                 uad::Size{1, 3}, uad::Size{7, 2}}) {
      EXPECT_EQ(uad::to_rgb_resized(view, part, size),
                uad::resize_antialiased(uad::to_rgb(view, part), size));
    }
  }
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay/overlay_painter.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/base/pixels/noise_frame.h"

namespace {

using uad::Colour;
using uad::OverlayInput;
using uad::OverlayOptions;
using uad::OverlayPainter;
using uad::PixelFormat;
using uad::Rect;
using uad::Region;
using uad::ScoreMap;
using uad::Verdict;
using uad::testing::is_grey;
using uad::testing::kEveryFormat;
using uad::testing::NoiseFrame;

constexpr OverlayOptions kNothing{
    .heatmap = false, .contour = false, .boxes = false, .banner = false, .legend = false};

OverlayOptions only_heatmap() {
  OverlayOptions options = kNothing;
  options.heatmap = true;
  options.alpha = 1;
  return options;
}

const uad::Thresholds kThresholds{.image = {0, 10, 20}, .map = {0, 2, 4}, .warn = 8, .min_area = 0};
constexpr double kMapWarn = 1.6;  // image warn is 0.4 of its scale, so is the map's

ScoreMap uniform_map(int width, int height, float value) {
  return {width, height, std::vector<float>(static_cast<std::size_t>(width * height), value)};
}

OverlayInput input_for(const NoiseFrame& frame, const ScoreMap& map,
                       Verdict verdict = Verdict::kReject) {
  OverlayInput input;
  input.map = &map;
  input.placement = {0, 0, static_cast<double>(frame.view.width),
                     static_cast<double>(frame.view.height)};
  input.thresholds = kThresholds;
  input.verdict = verdict;
  input.score = 12.34;
  return input;
}

/// Every pixel outside of `part`, which begins and ends on whole blocks, has its old bytes, and so
/// has the padding.
void expect_untouched_outside(const NoiseFrame& painted, const NoiseFrame& before, Rect part) {
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const bool chroma = plane > 0;
    const auto stride =
        static_cast<std::size_t>(std::max<std::ptrdiff_t>(painted.view.planes[plane].stride, 1));
    const auto row_bytes = static_cast<int>(stride) - NoiseFrame::kPadding;
    const int pairs = (painted.view.width + 1) / 2;
    const bool packed_yuv =
        painted.view.format == PixelFormat::kYuy2 || painted.view.format == PixelFormat::kUyvy;
    const int columns = chroma ? pairs : packed_yuv ? 2 * pairs : painted.view.width;
    for (std::size_t i = 0; i < painted.bytes[plane].size(); ++i) {
      const int scale = chroma ? 2 : 1;
      const int y = static_cast<int>(i / stride) * scale;
      const int in_row = static_cast<int>(i % stride);
      const int x = in_row / std::max(row_bytes / columns, 1) * scale / 2 * 2;
      const bool inside = in_row < row_bytes && x >= part.x && x < part.x + part.width &&
                          y >= part.y && y < part.y + part.height;
      if (!inside) {
        ASSERT_EQ(painted.bytes[plane][i], before.bytes[plane][i])
            << "format " << static_cast<int>(painted.view.format) << " plane " << plane << " x "
            << x << " y " << y;
      }
    }
  }
}

void expect_colour(const NoiseFrame& frame, int x, int y, Colour expected) {
  const auto found = frame.rgb(x, y);
  const int grey = uad::brightness(expected);
  const bool shades = is_grey(frame.view.format);
  EXPECT_NEAR(found[0], shades ? grey : expected.red, 2) << static_cast<int>(frame.view.format);
  EXPECT_NEAR(found[1], shades ? grey : expected.green, 2) << static_cast<int>(frame.view.format);
  EXPECT_NEAR(found[2], shades ? grey : expected.blue, 2) << static_cast<int>(frame.view.format);
}

TEST(Tint, BelowTheWarnLevelNothingIsTouched) {
  const auto map = uniform_map(7, 5, std::nextafter(static_cast<float>(kMapWarn), 0.0F));
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 33, 21);
    const NoiseFrame before = frame;
    OverlayPainter(only_heatmap()).paint(frame.view, input_for(frame, map));
    EXPECT_EQ(frame.bytes, before.bytes);
  }
}

TEST(Tint, FromTheWarnLevelOnEveryPixelChanges) {
  const auto map = uniform_map(7, 5, static_cast<float>(kMapWarn) + 1e-6F);
  NoiseFrame frame(PixelFormat::kRgb, 33, 21);
  OverlayPainter(only_heatmap()).paint(frame.view, input_for(frame, map));
  const auto first = frame.rgb(0, 0);
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 33; ++x) ASSERT_EQ(frame.rgb(x, y), first);
  }
}

TEST(Tint, HighEndHasTheLastColourInEveryColourFormatMatrixAndRange) {
  const auto map = uniform_map(4, 4, 4);
  for (const PixelFormat format : kEveryFormat) {
    if (is_grey(format)) continue;
    for (const auto matrix :
         {uad::YuvMatrix::kBt601, uad::YuvMatrix::kBt709, uad::YuvMatrix::kBt2020}) {
      for (const auto range : {uad::YuvRange::kLimited, uad::YuvRange::kFull}) {
        NoiseFrame frame(format, 15, 9, {matrix, range});
        OverlayOptions options = only_heatmap();
        options.colormap = uad::Colormap::kJet;
        OverlayPainter(options).paint(frame.view, input_for(frame, map));
        expect_colour(frame, 0, 0, {128, 0, 0});
        expect_colour(frame, 14, 8, {128, 0, 0});
      }
    }
  }
}

TEST(Tint, StaysInsideThePlacement) {
  const auto map = uniform_map(3, 3, 4);
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 33, 21);
    const NoiseFrame before = frame;
    OverlayInput input = input_for(frame, map);
    input.placement = {4, 6, 12, 8};
    OverlayPainter(only_heatmap()).paint(frame.view, input);
    expect_untouched_outside(frame, before, {4, 6, 12, 8});
    EXPECT_NE(frame.bytes, before.bytes);
  }
}

TEST(Tint, ScaleIsFixedWhateverElseIsInTheMap) {
  ScoreMap alone = uniform_map(16, 1, 0);
  alone.values[2] = 3;
  ScoreMap beside_worse = alone;
  beside_worse.values[14] = 400;
  NoiseFrame a(PixelFormat::kI420, 64, 4);
  NoiseFrame b = a;
  OverlayPainter(only_heatmap()).paint(a.view, input_for(a, alone));
  OverlayPainter(only_heatmap()).paint(b.view, input_for(b, beside_worse));
  for (int x = 0; x < 40; ++x) EXPECT_EQ(a.rgb(x, 1), b.rgb(x, 1)) << x;
}

TEST(Tint, NanIsNotTinted) {
  const auto map = uniform_map(4, 4, std::numeric_limits<float>::quiet_NaN());
  NoiseFrame frame(PixelFormat::kNv12, 16, 16);
  const NoiseFrame before = frame;
  OverlayOptions options = only_heatmap();
  options.contour = true;
  OverlayPainter(options).paint(frame.view, input_for(frame, map));
  EXPECT_EQ(frame.bytes, before.bytes);
}

TEST(Tint, GreyFrameShowsBlackAndWhiteStripes) {
  const auto map = uniform_map(4, 4, 4);
  NoiseFrame frame(PixelFormat::kGray8, 64, 64);
  OverlayPainter(only_heatmap()).paint(frame.view, input_for(frame, map));
  EXPECT_LT(frame.rgb(0, 0)[0], 5);
  EXPECT_GT(frame.rgb(4, 0)[0], 250);
}

TEST(Tint, TheWhiteOf12BitsInTheLowOnesIs4095) {
  const auto map = uniform_map(4, 4, 4);
  NoiseFrame frame(PixelFormat::kGray16, 64, 64);
  frame.view.white_level = 4095;
  OverlayPainter(only_heatmap()).paint(frame.view, input_for(frame, map));
  const auto& plane = frame.view.planes[0];
  int white = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const std::uint8_t* const bytes = plane.data + plane.stride * y + 2 * x;
      const int grey = bytes[0] + 256 * bytes[1];
      ASSERT_TRUE(grey <= 256 || std::abs(grey - 4095) <= 256) << grey;  // almost opaque
      white += grey > 256 ? 1 : 0;
    }
  }
  EXPECT_NEAR(white, 64 * 64 / 2, 64);
}

TEST(Tint, AlphaMixes) {
  const auto map = uniform_map(2, 2, 4);
  NoiseFrame frame(PixelFormat::kRgb, 4, 4);
  std::fill(frame.bytes[0].begin(), frame.bytes[0].end(), std::uint8_t{200});
  OverlayOptions options = only_heatmap();
  options.colormap = uad::Colormap::kJet;
  options.alpha = 0.25;
  OverlayPainter(options).paint(frame.view, input_for(frame, map));
  expect_colour(frame, 1, 1, {182, 150, 150});
}

TEST(Contour, RunsWhereTheMapCrossesItsThreshold) {
  const ScoreMap map{2, 2, {0, 4, 0, 4}};  // crosses 2 half-way between the value centres
  OverlayOptions options = kNothing;
  options.contour = true;
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 64, 32);
    const NoiseFrame before = frame;
    OverlayPainter(options).paint(frame.view, input_for(frame, map));
    const bool grey = is_grey(format);
    expect_colour(frame, 32, 16, grey ? uad::kWhite : Colour{255, 48, 48});
    expect_untouched_outside(frame, before, {32, 0, 2, 32});
  }
}

TEST(Boxes, LieAroundTheRegion) {
  OverlayOptions options = kNothing;
  options.boxes = true;
  const Region region{.box = {20, 12, 10, 6}};
  const ScoreMap map = uniform_map(2, 2, 0);
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 65, 41);
    const NoiseFrame before = frame;
    OverlayInput input = input_for(frame, map);
    input.regions = {&region, 1};
    OverlayPainter(options).paint(frame.view, input);
    const int gap = is_grey(format) ? 4 : 2;  // a dark edge to both sides
    const int reach = is_grey(format) ? 6 : 2;
    expect_untouched_outside(frame, before,
                             {20 - reach, 12 - reach, 10 + 2 * reach, 6 + 2 * reach});
    for (int y = 12; y < 18; ++y) {
      for (int x = 20; x < 30; ++x) ASSERT_EQ(frame.rgb(x, y), before.rgb(x, y));
    }
    const Colour colour = is_grey(format) ? uad::kWhite : Colour{255, 48, 48};
    expect_colour(frame, 20 - gap, 12 - gap, colour);
    expect_colour(frame, 29 + gap, 17 + gap, colour);
  }
}

TEST(Boxes, ReachingOutOfTheFrameAreClipped) {
  OverlayOptions options = kNothing;
  options.boxes = true;
  const Region region{.box = {-5, -7, 100, 100}};
  const ScoreMap map = uniform_map(2, 2, 0);
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 9, 7);
    const NoiseFrame before = frame;
    OverlayInput input = input_for(frame, map);
    input.regions = {&region, 1};
    OverlayPainter(options).paint(frame.view, input);
    expect_untouched_outside(frame, before, {0, 0, 10, 8});
  }
}

TEST(Banner, HasTheColourOfTheVerdict) {
  OverlayOptions options = kNothing;
  options.banner = true;
  const ScoreMap map = uniform_map(2, 2, 0);
  for (const PixelFormat format : kEveryFormat) {
    if (is_grey(format)) continue;
    for (const auto verdict :
         {Verdict::kPass, Verdict::kWarn, Verdict::kReject, Verdict::kUnscored}) {
      NoiseFrame frame(format, 321, 241);
      const NoiseFrame before = frame;
      OverlayPainter(options).paint(frame.view, input_for(frame, map, verdict));
      expect_colour(frame, 1, 1, uad::verdict_colour(verdict));
      expect_untouched_outside(frame, before, {0, 0, 322, 18});
    }
  }
}

TEST(Banner, GreyVerdictsDifferInBrightness) {
  OverlayOptions options = kNothing;
  options.banner = true;
  const ScoreMap map = uniform_map(2, 2, 0);
  double last = 0;
  for (const auto verdict :
       {Verdict::kPass, Verdict::kUnscored, Verdict::kWarn, Verdict::kReject}) {
    NoiseFrame frame(PixelFormat::kGray8, 320, 240);
    OverlayPainter(options).paint(frame.view, input_for(frame, map, verdict));
    EXPECT_GT(frame.rgb(1, 1)[0], last + 40);
    last = frame.rgb(1, 1)[0];
  }
}

TEST(Banner, TextDependsOnTheScoreTheLimitTheAgeAndTheNotice) {
  OverlayOptions options = kNothing;
  options.banner = true;
  const ScoreMap map = uniform_map(2, 2, 0);
  const auto painted = [&](const OverlayInput& input) {
    NoiseFrame frame(PixelFormat::kI420, 640, 480);
    OverlayPainter(options).paint(frame.view, input);
    return frame.bytes;
  };
  NoiseFrame any(PixelFormat::kI420, 640, 480);
  const OverlayInput plain = input_for(any, map);
  OverlayInput other_score = plain;
  other_score.score = 99;
  OverlayInput other_limit = plain;
  other_limit.thresholds.image.thr = 11;
  OverlayInput old = plain;
  old.age_ms = 1500;
  OverlayInput notice = plain;
  notice.notice = "no model yet \xc3\xa4";
  EXPECT_EQ(painted(plain), painted(plain));
  for (const OverlayInput& input : {other_score, other_limit, old, notice}) {
    EXPECT_NE(painted(input), painted(plain));
  }
}

TEST(Unscored, ShowsNoOldMapAndNoOldRegions) {
  OverlayOptions options;
  options.banner = false;
  const ScoreMap map = uniform_map(4, 4, 4);
  const Region region{.box = {20, 12, 10, 6}};
  NoiseFrame frame(PixelFormat::kI420, 320, 240);
  const NoiseFrame before = frame;
  OverlayInput input = input_for(frame, map, Verdict::kUnscored);
  input.regions = {&region, 1};
  OverlayPainter(options).paint(frame.view, input);
  EXPECT_EQ(frame.bytes, before.bytes);
}

TEST(Legend, StaysInTheBottomLeftCorner) {
  OverlayOptions options = kNothing;
  options.legend = true;
  const ScoreMap map = uniform_map(2, 2, 0);
  for (const PixelFormat format : kEveryFormat) {
    NoiseFrame frame(format, 641, 481);
    const NoiseFrame before = frame;
    OverlayPainter(options).paint(frame.view, input_for(frame, map));
    EXPECT_NE(frame.bytes, before.bytes);
    expect_untouched_outside(frame, before, {0, 430, 220, 52});
  }
}

TEST(Paint, FramesOfEverySizeAndFormatKeepTheirPadding) {
  const ScoreMap map = uniform_map(3, 2, 4);
  const Region region{.box = {0, 0, 1, 1}};
  for (const PixelFormat format : kEveryFormat) {
    for (const uad::Size size : {uad::Size{1, 1}, uad::Size{2, 3}, uad::Size{16, 16},
                                 uad::Size{1, 200}, uad::Size{300, 5}, uad::Size{97, 61}}) {
      NoiseFrame frame(format, size.width, size.height);
      const NoiseFrame before = frame;
      OverlayInput input = input_for(frame, map);
      input.regions = {&region, 1};
      OverlayPainter(OverlayOptions{}).paint(frame.view, input);
      EXPECT_NE(frame.bytes, before.bytes);
      expect_untouched_outside(frame, before, {0, 0, size.width + 1, size.height + 1});
    }
  }
}

TEST(Paint, EverythingOffChangesNothing) {
  const ScoreMap map = uniform_map(3, 2, 4);
  NoiseFrame frame(PixelFormat::kBgrx, 64, 48);
  const NoiseFrame before = frame;
  OverlayPainter(kNothing).paint(frame.view, input_for(frame, map));
  EXPECT_EQ(frame.bytes, before.bytes);
}

TEST(Paint, AlphaByteIsLeftAlone) {
  const ScoreMap map = uniform_map(3, 2, 4);
  NoiseFrame frame(PixelFormat::kRgbx, 64, 48);
  const NoiseFrame before = frame;
  OverlayPainter(OverlayOptions{}).paint(frame.view, input_for(frame, map));
  const auto stride = static_cast<std::size_t>(frame.view.planes[0].stride);
  for (std::size_t y = 0; y < 48; ++y) {
    for (std::size_t x = 0; x < 64; ++x) {
      const std::size_t i = y * stride + 4 * x + 3;
      ASSERT_EQ(frame.bytes[0][i], before.bytes[0][i]);
    }
  }
}

TEST(Paint, TwoThreadsMayShareOnePainter) {
  const OverlayPainter painter(OverlayOptions{});
  const ScoreMap map = uniform_map(3, 2, 3);
  NoiseFrame expected(PixelFormat::kI420, 320, 240);
  OverlayPainter(OverlayOptions{}).paint(expected.view, input_for(expected, map));
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      NoiseFrame frame(PixelFormat::kI420, 320, 240);
      painter.paint(frame.view, input_for(frame, map));
      EXPECT_EQ(frame.bytes, expected.bytes);
    }
  };
  std::jthread other(work);
  work();
}

TEST(Paint, BadInputIsRefused) {
  EXPECT_THROW(OverlayPainter({.alpha = 1.1}), uad::Error);
  EXPECT_THROW(OverlayPainter({.alpha = std::numeric_limits<double>::quiet_NaN()}), uad::Error);
  const OverlayPainter painter(OverlayOptions{});
  NoiseFrame frame(PixelFormat::kI420, 8, 8);
  const ScoreMap short_map{3, 3, {1, 2, 3}};
  EXPECT_THROW(painter.paint(frame.view, input_for(frame, short_map)), uad::Error);
  frame.view.planes[2].data = nullptr;
  EXPECT_THROW(painter.paint(frame.view, {}), uad::Error);
  EXPECT_THROW(painter.paint({}, {}), uad::Error);
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/motion.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "tests/support/expect_error.h"

namespace {

using uad::FrameView;
using uad::MotionSensor;
using uad::PixelFormat;

/// A bright square on a grey ramp, as 160x120 of grey.
class MotionTest : public ::testing::Test {
 protected:
  static constexpr int kWidth = 160;
  static constexpr int kHeight = 120;

  /// @param left  of the square; beyond the frame = none. @param light  added to every pixel.
  FrameView scene(int left, int light = 0, int noise = 0) {
    std::normal_distribution<double> grain(0, noise);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const bool square = x >= left && x < left + 40 && y >= 40 && y < 80;
        const double value = 40 + x / 4 + (square ? 100 : 0) + light + (noise ? grain(random_) : 0);
        pixels_[static_cast<std::size_t>(y * kWidth + x)] =
            static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
    return {PixelFormat::kGray8, kWidth, kHeight, {{{pixels_.data(), kWidth}}}};
  }
  /// What the sensor says: s(till), u(nsettled), m(oving), n(ew).
  char look(const FrameView& frame) { return "sumn"[static_cast<int>(sensor_.look(frame, 3.0))]; }
  std::string look_at(std::initializer_list<int> lefts) {
    std::string said;
    for (const int left : lefts) said += look(scene(left));
    return said;
  }

 private:
  std::vector<std::uint8_t> pixels_ = std::vector<std::uint8_t>(kWidth * kHeight);
  std::mt19937 random_{7};
  MotionSensor sensor_;
};

TEST_F(MotionTest, FirstSceneIsNewOnceItStandsStill) {
  EXPECT_EQ(look_at({20, 20, 20, 20, 20}), "mmnss");
}

TEST_F(MotionTest, MovementSeparatesEvenScenesThatLookTheSame) {
  look_at({20, 20, 20});
  EXPECT_EQ(look_at({50, 80, 110, 20, 20, 20, 20}), "uummmns");
}

TEST_F(MotionTest, AnotherSceneFromOneFrameToTheNextIsNew) {
  look_at({20, 20, 20});
  EXPECT_EQ(look_at({100, 100, 100, 100}), "uuns");
}

TEST_F(MotionTest, AFlashOfOneFrameIsNoMovement) {
  look_at({20, 20, 20});
  EXPECT_EQ(look_at({1000, 20, 20, 20, 20}), "uuuss");
}

TEST_F(MotionTest, NoiseAndFlickeringLightAreNoMovement) {
  look_at({20, 20, 20});
  std::string said;
  for (int i = 0; i < 50; ++i) {
    said += look(scene(20, static_cast<int>(20 * std::sin(i)), 8));
  }
  EXPECT_EQ(said, std::string(50, 's'));
}

TEST_F(MotionTest, SlowDriftIsNoMovementButIsFollowed) {
  look_at({20, 20, 20});
  for (int left = 20; left < 100; left += 2) EXPECT_EQ(look(scene(left)), 's');
  EXPECT_EQ(look_at({1000, 98, 98, 98}), "uuus") << "compared with where it has drifted to";
}

TEST_F(MotionTest, ThumbnailIsTheSameOfEveryFormatAndStride) {
  const FrameView grey = scene(20);
  const uad::Thumbnail expected = uad::thumbnail(grey);
  const std::size_t count = kWidth * kHeight;
  std::vector<std::uint8_t> rgb(count * 3 + 7 * kHeight, 255);
  std::vector<std::uint8_t> deep(count * 2);
  std::vector<std::uint8_t> yuyv(count * 2, 128);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t value = grey.planes[0].data[i];
    std::fill_n(&rgb[i / kWidth * (3 * kWidth + 7) + i % kWidth * 3], 3, value);
    deep[2 * i] = static_cast<std::uint8_t>(value * 16 % 256);  // 12 bits in the low ones
    deep[2 * i + 1] = static_cast<std::uint8_t>(value * 16 / 256);
    yuyv[2 * i] = value;
  }
  FrameView view{PixelFormat::kRgb, kWidth, kHeight, {{{rgb.data(), 3 * kWidth + 7}}}};
  EXPECT_EQ(uad::difference(uad::thumbnail(view), expected), 0);
  view = {PixelFormat::kYuy2, kWidth, kHeight, {{{yuyv.data(), 2 * kWidth}}}};
  EXPECT_EQ(uad::difference(uad::thumbnail(view), expected), 0);
  view = {PixelFormat::kGray16, kWidth, kHeight, {{{deep.data(), 2 * kWidth}}}, {}, 4080};
  EXPECT_NEAR(uad::difference(uad::thumbnail(view), expected), 0, 1e-4);
}

TEST_F(MotionTest, TinyFramesAreReadWithinTheirBounds) {
  const std::vector<std::uint8_t> pixel = {200};
  const FrameView view{PixelFormat::kGray8, 1, 1, {{{pixel.data(), 1}}}};
  for (const float cell : uad::thumbnail(view)) EXPECT_EQ(cell, 0);
  uad::test::expect_error(uad::ErrorCode::kShapeMismatch, {"plane"}, [] {
    return uad::thumbnail({PixelFormat::kGray8, 4, 4, {}});
  });
}

}  // namespace

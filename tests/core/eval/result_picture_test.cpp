// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/result_picture.h"

#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "tests/core/frame_list.h"

namespace uad {
namespace {

using Colour = std::array<int, 3>;
using ::testing::ElementsAre;

ScoreMap flat_map(int width, int height, float value) {
  return {width, height, std::vector<float>(static_cast<std::size_t>(width * height), value)};
}

Colour at(const Image& image, int x, int y) {
  const std::uint8_t* pixel = &image.pixels[static_cast<std::size_t>(3 * (y * image.width + x))];
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(OpenedMask, KeepsTheDiskOfRadiusFourAndDropsWhatItDoesNotFitInto) {
  ScoreMap map = flat_map(40, 20, 0);
  for (int y = -4; y <= 4; ++y) {
    for (int x = -4; x <= 4; ++x) {
      if (x * x + y * y <= 16) map.values[static_cast<std::size_t>((10 + y) * 40 + 10 + x)] = 0.5F;
    }
  }
  for (int y = 2; y < 18; ++y) {
    for (int x = 24; x < 31; ++x) map.values[static_cast<std::size_t>(y * 40 + x)] = 1;
  }
  const Image mask = opened_mask(map, 0.5);             // reaching the threshold is enough
  EXPECT_EQ(std::ranges::count(mask.pixels, 255), 49);  // the disk; seven columns are too narrow
  EXPECT_EQ(mask.pixels[10 * 40 + 14], 255);
  EXPECT_EQ(mask.pixels[7 * 40 + 13], 0);
}

class DrawResult : public ::testing::Test {
 protected:
  /// The left half of the frame reaches the upper end of the scale.
  DrawResult() {
    for (int y = 0; y < 100; ++y) {
      for (int x = 0; x < 50; ++x) map_.values[static_cast<std::size_t>(y * 100 + x)] = 4;
    }
  }
  Image frame_ = test::flat_image(200, 200, 100);
  ScoreMap map_ = flat_map(100, 100, 0);
  ResultPicture picture_{frame_, map_, {0, 0, 200, 200}, {0, 2, 4}};
};

TEST_F(DrawResult, PredictionsHaveFourPanelsAndEvaluationsFive) {
  const Image four = draw_result(picture_);
  EXPECT_EQ(four.width, 4 * (256 + 12) + 12 + 56);
  EXPECT_EQ(four.height, 28 + 256 + 12);
  const Image truth = test::flat_image(200, 200, 1, 1);
  picture_.truth = &truth;
  EXPECT_EQ(draw_result(picture_).width, 5 * (256 + 12) + 12 + 56);
}

TEST_F(DrawResult, EachPanelShowsWhatItIsCalled) {
  const Image truth = test::flat_image(200, 200, 1, 1);
  picture_.truth = &truth;
  const Image sheet = draw_result(picture_);
  const int y = 28 + 128;
  const auto panel = [](int n) { return 12 + n * 268 + (n > 2 ? 56 : 0); };
  EXPECT_THAT(at(sheet, panel(0) + 60, y), ElementsAre(100, 100, 100));
  EXPECT_THAT(at(sheet, panel(1) + 60, y), ElementsAre(255, 255, 255));
  EXPECT_THAT(at(sheet, panel(2) + 60, y), ElementsAre(114, 50, 50));   // dark red, half
  EXPECT_THAT(at(sheet, panel(2) + 200, y), ElementsAre(50, 50, 114));  // dark blue, half
  EXPECT_THAT(at(sheet, panel(3) + 60, y), ElementsAre(255, 255, 255));
  EXPECT_THAT(at(sheet, panel(3) + 200, y), ElementsAre(0, 0, 0));
  EXPECT_THAT(at(sheet, panel(4) + 60, y), ElementsAre(100, 100, 100));
  EXPECT_THAT(at(sheet, panel(4) + 127, y), ElementsAre(255, 0, 0));
}

TEST_F(DrawResult, WhatWasNotLookedAtStaysAsItIs) {
  picture_.placement = {100, 0, 100, 200};
  const Image sheet = draw_result(picture_);
  EXPECT_THAT(at(sheet, 12 + 268 + 60, 28 + 128), ElementsAre(100, 100, 100));
  EXPECT_THAT(at(sheet, 12 + 268 + 160, 28 + 128), ElementsAre(114, 50, 50));
}

TEST_F(DrawResult, LargeFramesAreShrunk) {
  const Image wide = test::flat_image(2000, 500, 100);
  const Image sheet = draw_result({wide, map_, {0, 0, 2000, 500}, {0, 2, 4}});
  EXPECT_EQ(sheet.height, 28 + 128 + 12);
  EXPECT_EQ(sheet.width, 4 * (512 + 12) + 12 + 56);
}

}  // namespace
}  // namespace uad

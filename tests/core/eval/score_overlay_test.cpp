// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/score_overlay.h"

#include <array>

#include <gmock/gmock.h>

#include "tests/core/frame_list.h"

namespace uad {
namespace {

using ::testing::ElementsAre;

std::array<int, 3> at(const Image& image, int x, int y) {
  const std::uint8_t* pixel = &image.pixels[static_cast<std::size_t>(3 * (y * image.width + x))];
  return {pixel[0], pixel[1], pixel[2]};
}

/// A grey frame of 80x40 whose left half is covered by a map: 0, 1 and 4 from the left.
class ScoreOverlay : public ::testing::Test {
 protected:
  Image frame_ = test::flat_image(80, 40, 100);
  ScoreMap map_{4, 1, {0, 0, 1, 4}};
  ScoredPicture picture_{frame_, map_, {0, 0, 40, 40}};
};

TEST_F(ScoreOverlay, IsHalfTheFrameAndHalfTheColourOfTheScore) {
  const Image drawn = draw_overlay(picture_, {1, 3});
  ASSERT_EQ(drawn.width, 80);
  ASSERT_EQ(drawn.height, 40);
  EXPECT_THAT(at(drawn, 2, 20), ElementsAre(50, 50, 114));   // (0, 0, 128) of jet: at most 1
  EXPECT_THAT(at(drawn, 38, 20), ElementsAre(114, 50, 50));  // (128, 0, 0): at least 3
  EXPECT_THAT(at(drawn, 60, 20), ElementsAre(100, 100, 100));
}

TEST_F(ScoreOverlay, TheRangeOfAMapIsItsOwn) {
  EXPECT_EQ(range_of(map_).low, 0);
  EXPECT_EQ(range_of(map_).high, 4);
  const ScoreMap flat{2, 1, {3, 3}};
  const Image drawn = draw_overlay({frame_, flat, {0, 0, 80, 40}}, range_of(flat));
  EXPECT_THAT(at(drawn, 40, 20), ElementsAre(50, 50, 114));  // nothing stands out
}

TEST_F(ScoreOverlay, AStripOfAGoodFrameHasTwoParts) {
  EXPECT_EQ(draw_strip(picture_, {0, 8}).height, 2 * 40);
  const Image none = test::flat_image(80, 40, 0, 1);
  picture_.truth = &none;
  EXPECT_EQ(draw_strip(picture_, {0, 8}).height, 2 * 40);
}

TEST_F(ScoreOverlay, AStripOfADefectShowsItsTruthAndTheOwnRangeToo) {
  const Image truth = test::flat_image(80, 40, 1, 1);
  picture_.truth = &truth;
  const Image strip = draw_strip(picture_, {0, 8});
  ASSERT_EQ(strip.height, 4 * 40);
  EXPECT_THAT(at(strip, 38, 20), ElementsAre(100, 100, 100));
  EXPECT_THAT(at(strip, 38, 60), ElementsAre(255, 255, 255));
  EXPECT_THAT(at(strip, 38, 140), ElementsAre(114, 50, 50));
  EXPECT_NE(at(strip, 38, 100), at(strip, 38, 140));  // 4 of 8 is no red yet
}

}  // namespace
}  // namespace uad

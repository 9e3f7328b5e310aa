// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/regions.h"

#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

namespace {

using uad::Rect;
using uad::RectF;
using uad::Region;
using uad::ScoreMap;

ScoreMap blank(int width, int height) {
  return {width, height, std::vector<float>(static_cast<std::size_t>(width * height))};
}

void fill(ScoreMap& map, Rect part, float value) {
  for (int y = part.y; y < part.y + part.height; ++y) {
    for (int x = part.x; x < part.x + part.width; ++x) {
      map.values[static_cast<std::size_t>(y * map.width + x)] = value;
    }
  }
}

TEST(Regions, RectangleHasClosedFormFigures) {
  ScoreMap map = blank(10, 8);
  fill(map, {2, 3, 4, 2}, 5);
  map.values[3 * 10 + 2] = 9;
  const auto regions = uad::find_regions(map, {0, 0, 10, 8}, 5, 0);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_EQ(regions[0], (Region{{2, 3, 4, 2}, 8, 4, 4, 9, 5.5F}));
}

TEST(Regions, PlacementScalesEverythingToFramePixels) {
  ScoreMap map = blank(4, 4);
  fill(map, {1, 2, 1, 1}, 1);
  const auto regions = uad::find_regions(map, {100, 50, 12, 8}, 0.5, 0);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_EQ(regions[0], (Region{{103, 54, 3, 2}, 6, 104.5, 55, 1, 1}));
}

TEST(Regions, FractionalEdgesGrowToWholePixels) {
  ScoreMap map = blank(4, 1);
  fill(map, {1, 0, 1, 1}, 1);
  const auto regions = uad::find_regions(map, {0, 0, 10, 1}, 0.5, 0);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_EQ(regions[0].box, (Rect{2, 0, 3, 1}));
  EXPECT_EQ(regions[0].area, 2.5);
}

TEST(Regions, DiagonalNeighboursBelongTogether) {
  ScoreMap map = blank(4, 4);
  fill(map, {1, 1, 1, 1}, 1);
  fill(map, {2, 2, 1, 1}, 1);
  EXPECT_EQ(uad::find_regions(map, {0, 0, 4, 4}, 1, 0).size(), 1U);
}

TEST(Regions, WorstComesFirstThenTopThenLeft) {
  ScoreMap map = blank(9, 5);
  fill(map, {6, 0, 1, 1}, 2);
  fill(map, {4, 0, 1, 1}, 2);
  fill(map, {0, 2, 1, 1}, 2);
  fill(map, {8, 4, 1, 1}, 3);
  const auto regions = uad::find_regions(map, {0, 0, 9, 5}, 1, 0);
  ASSERT_EQ(regions.size(), 4U);
  EXPECT_EQ(regions[0].box, (Rect{8, 4, 1, 1}));
  EXPECT_EQ(regions[1].box, (Rect{4, 0, 1, 1}));
  EXPECT_EQ(regions[2].box, (Rect{6, 0, 1, 1}));
  EXPECT_EQ(regions[3].box, (Rect{0, 2, 1, 1}));
}

TEST(Regions, MinimumAreaCountsFramePixels) {
  ScoreMap map = blank(4, 4);
  fill(map, {0, 0, 2, 1}, 1);
  EXPECT_EQ(uad::find_regions(map, {0, 0, 8, 8}, 1, 8).size(), 1U);
  EXPECT_EQ(uad::find_regions(map, {0, 0, 8, 8}, 1, 8.1).size(), 0U);
}

TEST(Regions, NanAndEmptyMapsGiveNone) {
  ScoreMap map = blank(3, 3);
  fill(map, {0, 0, 3, 3}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(uad::find_regions(map, {0, 0, 3, 3}, 0, 0).empty());
  EXPECT_TRUE(uad::find_regions({}, {0, 0, 3, 3}, 0, 0).empty());
}

TEST(Regions, WholeMapIsOneRegion) {
  const auto regions = uad::find_regions(blank(5, 5), {0, 0, 5, 5}, 0, 0);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_EQ(regions[0].area, 25);
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/tiling.h"

#include <cmath>
#include <cstddef>
#include <numbers>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using uad::InputSpec;
using uad::MergeMode;
using uad::Point;
using uad::Rect;
using uad::RectF;
using uad::ScoreMap;
using uad::Size;
using uad::TilePlan;

TEST(PlanTiles, DefaultSquashesTheWholeFrame) {
  const TilePlan plan = uad::plan_tiles({640, 480}, {});
  EXPECT_EQ(plan.source, (Rect{0, 0, 640, 480}));
  EXPECT_EQ(plan.scaled, (Size{256, 256}));
  EXPECT_EQ(plan.tile, (Size{256, 256}));
  EXPECT_EQ(plan.origins, (std::vector<Point>{{0, 0}}));
  EXPECT_EQ(plan.placement, (RectF{0, 0, 640, 480}));
}

TEST(PlanTiles, NoResizeKeepsTheFrame) {
  EXPECT_EQ(uad::plan_tiles({641, 479}, {.resize = {}}).scaled, (Size{641, 479}));
}

TEST(PlanTiles, ZeroSideFollowsTheAspectRatio) {
  EXPECT_EQ(uad::plan_tiles({640, 480}, {.resize = {256, 0}}).scaled, (Size{256, 192}));
  EXPECT_EQ(uad::plan_tiles({640, 480}, {.resize = {0, 256}}).scaled, (Size{341, 256}));
}

TEST(PlanTiles, KeptAspectFitsInside) {
  const InputSpec spec{.resize = {256, 256}, .keep_aspect = true};
  EXPECT_EQ(uad::plan_tiles({640, 480}, spec).scaled, (Size{256, 192}));
  EXPECT_EQ(uad::plan_tiles({480, 640}, spec).scaled, (Size{192, 256}));
  EXPECT_EQ(uad::plan_tiles({1, 5000}, spec).scaled, (Size{1, 256}));
}

TEST(PlanTiles, CoverIsTheSmallestSizeAround) {
  const InputSpec spec{.resize = {256, 256}, .cover = true};
  EXPECT_EQ(uad::plan_tiles({640, 480}, spec).scaled, (Size{341, 256}));
  EXPECT_EQ(uad::plan_tiles({480, 640}, spec).scaled, (Size{256, 341}));
  EXPECT_EQ(uad::plan_tiles({128, 128}, spec).scaled, (Size{256, 256}));
}

TEST(PlanTiles, CentreCropOffsetIsHalfTheDifference) {
  const TilePlan plan = uad::plan_tiles({512, 512}, {.crop = {224, 224}});
  EXPECT_EQ(plan.crop, (Rect{16, 16, 224, 224}));
  EXPECT_EQ(plan.placement, (RectF{32, 32, 448, 448}));
}

TEST(PlanTiles, OddCropOffsetRoundsHalfToEven) {
  EXPECT_EQ(uad::plan_tiles({9, 9}, {.resize = {}, .crop = {4, 2}}).crop, (Rect{2, 4, 4, 2}));
}

TEST(PlanTiles, RoiIsClippedToTheFrame) {
  const TilePlan plan = uad::plan_tiles({100, 80}, {.roi = {-10, 60, 50, 50}});
  EXPECT_EQ(plan.source, (Rect{0, 60, 40, 20}));
  EXPECT_EQ(plan.placement, (RectF{0, 60, 40, 20}));
}

TEST(PlanTiles, LastWindowIsShiftedInside) {
  const TilePlan plan =
      uad::plan_tiles({10, 7}, {.resize = {}, .window = {4, 4}, .stride = {3, 4}});
  EXPECT_EQ(plan.origins, (std::vector<Point>{{0, 0}, {3, 0}, {6, 0}, {0, 3}, {3, 3}, {6, 3}}));
}

TEST(PlanTiles, StrideIsHalfAWindowByDefault) {
  const TilePlan plan = uad::plan_tiles({8, 4}, {.resize = {}, .window = {4, 4}});
  EXPECT_EQ(plan.origins, (std::vector<Point>{{0, 0}, {2, 0}, {4, 0}}));
}

TEST(PlanTiles, WindowLargerThanTheCropShrinks) {
  const TilePlan plan =
      uad::plan_tiles({5, 20}, {.resize = {}, .window = {8, 8}, .stride = {8, 8}});
  EXPECT_EQ(plan.tile, (Size{5, 8}));
  EXPECT_EQ(plan.origins, (std::vector<Point>{{0, 0}, {0, 8}, {0, 12}}));
}

TEST(PlanTiles, EveryFrameSizeIsCoveredWithoutGaps) {
  for (int side = 1; side < 40; ++side) {
    const TilePlan plan =
        uad::plan_tiles({side, 41 - side}, {.resize = {}, .window = {7, 6}, .stride = {5, 3}});
    std::vector<int> hits(static_cast<std::size_t>(side * (41 - side)));
    for (const Point origin : plan.origins) {
      for (int y = 0; y < plan.tile.height; ++y) {
        for (int x = 0; x < plan.tile.width; ++x) {
          ++hits.at(static_cast<std::size_t>((origin.y + y) * side + origin.x + x));
        }
      }
    }
    for (const int hit : hits) EXPECT_GE(hit, 1) << side;
  }
}

void expect_bad_option(const InputSpec& spec, const std::string& option) {
  try {
    uad::plan_tiles({100, 80}, spec);
    ADD_FAILURE() << option;
  } catch (const uad::Error& error) {
    EXPECT_EQ(error.code(), uad::ErrorCode::kBadOption);
    EXPECT_NE(std::string(error.what()).find("\"" + option + "\""), std::string::npos)
        << error.what();
  }
}

TEST(PlanTiles, ImpossibleOptionsAreNamed) {
  expect_bad_option({.roi = {100, 0, 10, 10}}, "roi");
  expect_bad_option({.roi = {5, 5, 0, 10}}, "roi");
  expect_bad_option({.crop = {257, 10}}, "crop");
  expect_bad_option({.window = {64, 64}, .stride = {65, 64}}, "stride");
  expect_bad_option({.resize = {-1, 10}}, "resize");
  expect_bad_option({.roi = {0, 0, 1, 80}, .resize = {1000, 0}}, "resize");
}

TilePlan plan_of(Size frame, Size window, Size stride) {
  return uad::plan_tiles(frame, {.resize = {}, .window = window, .stride = stride});
}

std::vector<ScoreMap> tiles_of(const TilePlan& plan, float value) {
  const auto area = static_cast<std::size_t>(plan.tile.width * plan.tile.height);
  return {plan.origins.size(),
          ScoreMap{plan.tile.width, plan.tile.height, std::vector<float>(area, value)}};
}

TEST(MergeTiles, ConstantStaysConstant) {
  const TilePlan plan = plan_of({101, 67}, {16, 12}, {5, 7});
  for (const auto mode : {MergeMode::kHann, MergeMode::kMean, MergeMode::kMax}) {
    const ScoreMap merged = uad::merge_tiles(plan, tiles_of(plan, 3.7F), mode);
    ASSERT_EQ(merged.values.size(), 101U * 67U);
    for (const float value : merged.values) ASSERT_NEAR(value, 3.7F, 1e-6);
  }
}

TEST(MergeTiles, OneTileIsReturnedAsItIs) {
  const TilePlan plan = plan_of({3, 1}, {}, {});
  const ScoreMap tile{3, 1, {0.1F, -7, 1e9F}};
  EXPECT_EQ(uad::merge_tiles(plan, {tile}), tile);
}

TEST(MergeTiles, HannWeighsByTheSquaredSineAtPixelCentres) {
  const TilePlan plan = plan_of({6, 1}, {4, 1}, {2, 1});
  const ScoreMap merged =
      uad::merge_tiles(plan, {{4, 1, {0, 0, 0, 0}}, {4, 1, {1, 1, 1, 1}}}, MergeMode::kHann);
  const auto hann = [](int i) { return std::pow(std::sin(std::numbers::pi * (i + 0.5) / 4), 2); };
  EXPECT_EQ(merged.at(0, 1), 0);
  EXPECT_NEAR(merged.at(0, 2), hann(0) / (hann(0) + hann(2)), 1e-7);
  EXPECT_NEAR(merged.at(0, 3), hann(1) / (hann(1) + hann(3)), 1e-7);
  EXPECT_EQ(merged.at(0, 4), 1);
}

TEST(MergeTiles, MeanAndMaxOfAnOverlap) {
  const TilePlan plan = plan_of({3, 1}, {2, 1}, {1, 1});
  const std::vector<ScoreMap> tiles{{2, 1, {1, 2}}, {2, 1, {4, 8}}};
  EXPECT_EQ(uad::merge_tiles(plan, tiles, MergeMode::kMean).values, (std::vector<float>{1, 3, 8}));
  EXPECT_EQ(uad::merge_tiles(plan, tiles, MergeMode::kMax).values, (std::vector<float>{1, 4, 8}));
}

TEST(MergeTiles, WrongNumberOrSizeIsRefused) {
  const TilePlan plan = plan_of({3, 1}, {2, 1}, {1, 1});
  EXPECT_THROW(uad::merge_tiles(plan, {{2, 1, {1, 2}}}), uad::Error);
  EXPECT_THROW(uad::merge_tiles(plan, {{2, 1, {1, 2}}, {1, 2, {1, 2}}}), uad::Error);
  EXPECT_THROW(uad::merge_tiles(plan, {{2, 1, {1, 2}}, {2, 1, {1}}}), uad::Error);
}

}  // namespace

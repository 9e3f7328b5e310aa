// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/window_merge.h"

#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using uad::MergeMode;
using uad::ScoreMap;
using uad::TilePlan;

constexpr MergeMode kModes[] = {MergeMode::kHann, MergeMode::kMean, MergeMode::kMax};

/// 40 x 28 pixels in windows of 16 x 12 that overlap by half: 4 x 4 of them.
TilePlan plan() {
  uad::InputSpec spec;
  spec.resize = {};
  spec.window = {16, 12};
  return uad::plan_tiles({40, 28}, spec);
}

std::vector<ScoreMap> noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<ScoreMap> maps(count, {16, 12, std::vector<float>(16 * 12)});
  for (ScoreMap& map : maps) {
    for (float& value : map.values) value = static_cast<float>(random() % 1000) / 999.0F;
  }
  return maps;
}

std::vector<std::size_t> all(const TilePlan& plan) {
  std::vector<std::size_t> windows(plan.origins.size());
  std::iota(windows.begin(), windows.end(), std::size_t{0});
  return windows;
}

/// Pixels of the map under one of the windows.
std::vector<bool> under(const TilePlan& plan, const std::vector<std::size_t>& windows) {
  std::vector<bool> covered(static_cast<std::size_t>(plan.crop.width * plan.crop.height));
  for (const std::size_t window : windows) {
    const uad::Point at = plan.origins[window];
    for (int y = at.y; y < at.y + plan.tile.height; ++y) {
      for (int x = at.x; x < at.x + plan.tile.width; ++x) {
        covered[static_cast<std::size_t>(y * plan.crop.width + x)] = true;
      }
    }
  }
  return covered;
}

TEST(WindowMerge, AllWindowsMakeTheMapThatTilesMakeToTheBit) {
  const TilePlan plan = ::plan();
  ASSERT_EQ(plan.origins.size(), 16U);
  for (const MergeMode mode : kModes) {
    const auto maps = noise(16, 1);
    ScoreMap merged;
    uad::merge_windows(plan, all(plan), maps, mode, merged);
    EXPECT_EQ(merged, uad::merge_tiles(plan, maps, mode));
  }
}

TEST(WindowMerge, WhereTheChosenWindowsCoverAllThatTheirNeighboursDoTheBitsAreThoseOfAWholeMerge) {
  const TilePlan plan = ::plan();
  const auto before = noise(16, 1);
  std::vector<ScoreMap> now = before;
  const std::vector<std::size_t> chosen{0, 1, 4, 5};  // the corner of the first one is theirs alone
  const auto fresh = noise(4, 2);
  for (std::size_t i = 0; i < 4; ++i) now[chosen[i]] = fresh[i];
  for (const MergeMode mode : kModes) {
    ScoreMap merged = uad::merge_tiles(plan, before, mode);
    uad::merge_windows(plan, chosen, fresh, mode, merged);
    const ScoreMap whole = uad::merge_tiles(plan, now, mode);
    for (int y = 0; y < 12; ++y) {
      for (int x = 0; x < 16; ++x) EXPECT_EQ(merged.at(y, x), whole.at(y, x)) << x << ',' << y;
    }
  }
}

TEST(WindowMerge, TheNewestLookCountsAloneAndTheRestStays) {
  const TilePlan plan = ::plan();
  for (const MergeMode mode : kModes) {
    const ScoreMap before = uad::merge_tiles(plan, noise(16, 1), mode);
    ScoreMap merged = before;
    const std::vector<ScoreMap> nothing(2, {16, 12, std::vector<float>(16 * 12, 0.0F)});
    uad::merge_windows(plan, {5, 6}, nothing, mode, merged);
    const auto seen = under(plan, {5, 6});
    for (std::size_t i = 0; i < merged.values.size(); ++i) {
      EXPECT_EQ(merged.values[i], seen[i] ? 0.0F : before.values[i]) << i;
    }
  }
}

TEST(WindowMerge, ADefectIsNotDilutedByWhatItsNeighboursSaidBefore) {
  const TilePlan plan = ::plan();
  ScoreMap merged =
      uad::merge_tiles(plan, std::vector<ScoreMap>(16, {16, 12, std::vector<float>(16 * 12)}));
  std::vector<ScoreMap> defect{{16, 12, std::vector<float>(16 * 12)}};
  defect[0].values[0] = 1;  // in its outermost corner, where a window counts least
  uad::merge_windows(plan, {5}, defect, MergeMode::kHann, merged);
  EXPECT_EQ(uad::highest_under(plan, 5, merged), 1.0F);
  EXPECT_EQ(uad::highest_under(plan, 15, merged), 0.0F);
}

TEST(WindowMerge, WhatDoesNotFitIsRefused) {
  const TilePlan plan = ::plan();
  ScoreMap merged = uad::merge_tiles(plan, noise(16, 1));
  const auto refused = [&](const std::vector<std::size_t>& chosen, std::vector<ScoreMap> maps,
                           ScoreMap into) {
    EXPECT_THROW(uad::merge_windows(plan, chosen, maps, MergeMode::kHann, into), uad::Error);
  };
  refused({1}, noise(2, 1), merged);
  refused({2, 1}, noise(2, 1), merged);
  refused({1, 1}, noise(2, 1), merged);
  refused({16}, noise(1, 1), merged);
  refused({1}, {ScoreMap{12, 16, std::vector<float>(16 * 12)}}, merged);
  refused({1}, noise(1, 1), ScoreMap());
}

}  // namespace

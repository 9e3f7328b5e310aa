// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/window_planner.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;
using testing::SizeIs;
using uad::WindowBudget;
using uad::WindowPlanner;

constexpr double kWarn = 0.4;

/// One that has looked at every window once, in which each showed `scores`.
WindowPlanner after_a_whole_frame(const std::vector<double>& scores) {
  WindowPlanner planner(scores.size());
  planner.looked_at(planner.choose({}), scores);
  return planner;
}

/// Frames from one look at a window to the next, at most, over a stream of whims.
std::uint64_t longest_wait(std::size_t windows, std::size_t within, unsigned seed) {
  std::mt19937 random(seed);
  WindowPlanner planner(windows);
  std::vector<double> scores(windows);
  std::vector<int> seen(windows, 0);
  std::uint64_t longest = 0;
  for (int frame = 0; frame < 3000; ++frame) {
    const WindowBudget budget{random() % (windows + 2), kWarn, within};
    const std::vector<std::size_t> chosen = planner.choose(budget);
    EXPECT_FALSE(chosen.empty());
    EXPECT_TRUE(std::ranges::is_sorted(chosen));
    const double share = random() % 3 == 0 ? 1.0 : 0.3;  // at times all of them are suspicious
    for (double& score : scores) score = share * static_cast<double>(random() % 100) / 100;
    for (const std::size_t window : chosen) {
      if (frame > 0) {
        longest = std::max(longest, static_cast<std::uint64_t>(frame - seen[window]));
      }
      seen[window] = frame;
    }
    planner.looked_at(chosen, scores);
    EXPECT_LT(planner.oldest(), planner.guaranteed(within));
  }
  return longest;
}

TEST(WindowPlanner, NoWindowWaitsLongerThanIsGuaranteedWhateverTheBudgetAndTheScores) {
  for (const std::size_t windows : {1, 2, 7, 12, 48}) {
    for (const std::size_t within : {0, 1, 3, 5, 20, 1000}) {
      const std::uint64_t guaranteed = WindowPlanner(windows).guaranteed(within);
      EXPECT_LE(guaranteed, within == 0 ? windows : within);
      EXPECT_LE(longest_wait(windows, within, static_cast<unsigned>(7 * windows + within)),
                guaranteed)
          << windows << " windows within " << within;
    }
  }
}

TEST(WindowPlanner, WhatIsGuaranteedFollowsFromTheWindowsThatEveryFrameOwes) {
  EXPECT_EQ(WindowPlanner(12).guaranteed(0), 12U);
  EXPECT_EQ(WindowPlanner(12).guaranteed(5), 4U) << "three in each frame";
  EXPECT_EQ(WindowPlanner(12).guaranteed(100), 12U) << "one in each frame";
  EXPECT_EQ(WindowPlanner(12).guaranteed(1), 1U);
}

TEST(WindowPlanner, TheFirstFrameIsLookedAtWhole) {
  EXPECT_THAT(WindowPlanner(5).choose({.room = 1}), ElementsAre(0, 1, 2, 3, 4));
}

TEST(WindowPlanner, WithoutRoomOneWindowIsLookedAtAndItIsTheOldest) {
  WindowPlanner planner = after_a_whole_frame({0, 0, 0});
  for (const std::size_t expected : {0, 1, 2, 0}) {
    const auto chosen = planner.choose({.room = 0, .suspicious = kWarn});
    EXPECT_THAT(chosen, ElementsAre(expected));
    planner.looked_at(chosen, {0, 0, 0});
  }
}

TEST(WindowPlanner, TheWorstSuspiciousWindowIsLookedAtInEveryFrameEvenWithoutRoom) {
  WindowPlanner planner = after_a_whole_frame({0, 0.5, 0, 0.9, 0});
  for (int frame = 0; frame < 10; ++frame) {
    const auto chosen = planner.choose({.room = 1, .suspicious = kWarn});
    EXPECT_THAT(chosen, testing::Contains(3)) << frame;
    EXPECT_LE(chosen.size(), 2U) << frame;
    planner.looked_at(chosen, {0, 0.5, 0, 0.9, 0});
  }
}

TEST(WindowPlanner, SuspiciousWindowsComeBeforeTheOthersTheWorstFirst) {
  const WindowPlanner planner = after_a_whole_frame({0, 0.3, 0.5, 0.39, 0.9, 0.6});
  const auto choose = [&](std::size_t room) { return planner.choose({room, kWarn, 0}); };
  EXPECT_THAT(choose(2), ElementsAre(0, 4));
  EXPECT_THAT(choose(3), ElementsAre(0, 4, 5));
  EXPECT_THAT(choose(4), ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(choose(5), ElementsAre(0, 1, 2, 4, 5)) << "then by age, not by score";
}

TEST(WindowPlanner, AWindowOnTheThresholdIsSuspicious) {
  const WindowPlanner planner = after_a_whole_frame({0, 0, kWarn});
  EXPECT_THAT(planner.choose({.room = 0, .suspicious = kWarn}), ElementsAre(0, 2));
}

TEST(WindowPlanner, WhatIsOwedGoesBeyondTheRoom) {
  const WindowPlanner planner = after_a_whole_frame(std::vector<double>(12, 0.0));
  EXPECT_THAT(planner.choose({.room = 1, .within = 4}), SizeIs(3));
}

TEST(WindowPlanner, RoomForMoreThanThereIsTakesAll) {
  const WindowPlanner planner = after_a_whole_frame({0, 1, 0});
  EXPECT_THAT(planner.choose({.room = 99, .suspicious = kWarn}), ElementsAre(0, 1, 2));
}

TEST(WindowPlanner, AgesAreCountedInFrames) {
  WindowPlanner planner = after_a_whole_frame({0, 0, 0});
  EXPECT_EQ(planner.oldest(), 0U);
  planner.looked_at({0}, {0, 0, 0});
  EXPECT_EQ(planner.oldest(), 1U);
  planner.looked_at({1, 2}, {0, 0, 0});
  EXPECT_EQ(planner.oldest(), 1U) << "the first one's";
}

}  // namespace

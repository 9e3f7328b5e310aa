// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/health.h"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using uad::Health;

/// 25 frames a second on a clock of the test's own.
class HealthTest : public ::testing::Test {
 protected:
  HealthTest() { health.begin(now); }
  void run(int frames, bool analysed, bool scored) {
    for (int i = 0; i < frames; ++i) health.frame(now += 40ms, analysed, scored);
  }
  std::optional<uad::HealthReport> report() { return health.report(now, 500ms); }
  Health health;
  Health::Clock::time_point now{1h};
};

TEST_F(HealthTest, HealthyStreamSaysNothing) {
  run(50, true, true);
  EXPECT_FALSE(report());
}

TEST_F(HealthTest, MissingVerdictsAreReportedWithTheirNumber) {
  run(20, true, true);
  run(10, false, false);
  const auto found = report();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->healthy);
  EXPECT_EQ(found->frames, 30U);
  EXPECT_EQ(found->unscored, 10U);
  EXPECT_NEAR(found->skipped_share, 1.0 / 3, 1e-9);
}

TEST_F(HealthTest, AtMostOneReportASecond) {
  run(25, false, false);
  EXPECT_TRUE(report());
  run(24, false, false);
  EXPECT_FALSE(report());
  run(1, false, false);
  EXPECT_TRUE(report());
}

TEST_F(HealthTest, SilentCameraIsReportedWithoutAnyFrame) {
  now += 1500ms;
  const auto found = report();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->healthy);
  EXPECT_EQ(found->frames, 0U);
  EXPECT_DOUBLE_EQ(found->longest_gap_ms, 1500);
}

TEST_F(HealthTest, GapBetweenFramesIsReportedAfterwards) {
  run(5, true, true);
  now += 700ms;
  run(20, true, true);
  const auto found = report();
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->longest_gap_ms, 740);
}

TEST_F(HealthTest, RecoveryIsToldOnce) {
  run(25, true, false);
  EXPECT_FALSE(report()->healthy);
  run(25, true, true);
  const auto well = report();
  ASSERT_TRUE(well);
  EXPECT_TRUE(well->healthy);
  run(25, true, true);
  EXPECT_FALSE(report());
}

TEST_F(HealthTest, PauseIsNoGap) {
  run(5, true, true);
  health.end();
  now += 1h;
  EXPECT_FALSE(report());
  health.begin(now);
  run(30, true, true);
  EXPECT_FALSE(report());
}

TEST_F(HealthTest, StreamThatIsNotLiveMayPauseButMissesNoVerdictUnnoticed) {
  health.end();
  run(5, true, true);
  now += 10s;
  EXPECT_FALSE(report());
  run(5, true, false);
  now += 1s;
  const auto found = report();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unscored, 5U);
}

TEST_F(HealthTest, CountsAddUpAndMeanIsOverAllAnalyses) {
  run(3, true, true);
  run(2, false, false);
  health.analysed(10);
  health.analysed(20);
  health.analysed(60);
  const auto counts = health.counts();
  EXPECT_EQ(counts.frames, 5U);
  EXPECT_EQ(counts.analysed, 3U);
  EXPECT_EQ(counts.skipped, 2U);
  EXPECT_EQ(counts.unscored, 2U);
  EXPECT_DOUBLE_EQ(counts.last_ms, 60);
  EXPECT_DOUBLE_EQ(counts.mean_ms, 30);
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/verdict.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using uad::ScoreScale;
using uad::ThresholdOverrides;
using uad::Thresholds;
using uad::Verdict;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ScoreScale, ThreeRawValuesMapToZeroHalfOne) {
  const ScoreScale scale{2, 4, 12};
  EXPECT_EQ(scale.normalise(2), 0);
  EXPECT_EQ(scale.normalise(3), 0.25);
  EXPECT_EQ(scale.normalise(4), 0.5);
  EXPECT_EQ(scale.normalise(8), 0.75);
  EXPECT_EQ(scale.normalise(12), 1);
}

TEST(ScoreScale, OutsideIsClampedAndNanStaysNan) {
  const ScoreScale scale{2, 4, 12};
  EXPECT_EQ(scale.normalise(-kInfinity), 0);
  EXPECT_EQ(scale.normalise(kInfinity), 1);
  EXPECT_TRUE(std::isnan(scale.normalise(kNan)));
}

TEST(ScoreScale, RawIsTheInverse) {
  const ScoreScale scale{2, 4, 12};
  for (const double level : {0.0, 0.1, 0.5, 0.8, 1.0}) {
    EXPECT_NEAR(scale.normalise(scale.raw(level)), level, 1e-12);
  }
  EXPECT_EQ(scale.raw(-1), 2);
  EXPECT_EQ(scale.raw(2), 12);
}

TEST(ScoreScale, NewThresholdMovesTheHalfAndKeepsTheOrder) {
  const ScoreScale moved = ScoreScale{2, 4, 12}.with_threshold(20);
  EXPECT_EQ(moved, (ScoreScale{2, 20, 28}));
  const ScoreScale huge = ScoreScale{0, 1, 2}.with_threshold(1e300);
  EXPECT_LT(huge.thr, huge.hi);
}

TEST(ScoreScale, GoodScoresGiveMeanAndSpread) {
  const ScoreScale scale = ScoreScale::from_good_scores({9, 11, 9, 11});
  EXPECT_EQ(scale, (ScoreScale{7, 13, 19}));
  EXPECT_EQ(ScoreScale::from_good_scores({0, 2}).lo, 0) << "distances start at 0";
}

TEST(ScoreScale, EqualScoresStillGiveThreeDifferentLevels) {
  for (const double score : {0.0, 5.0, -5.0, 1e-9}) {
    const ScoreScale scale = ScoreScale::from_good_scores({score, score});
    EXPECT_LT(scale.lo, scale.thr) << score;
    EXPECT_LT(scale.thr, scale.hi) << score;
  }
}

TEST(ScoreScale, NoOrBrokenGoodScoresAreRefused) {
  EXPECT_THROW(ScoreScale::from_good_scores({}), uad::Error);
  EXPECT_THROW(ScoreScale::from_good_scores({1, kNan}), uad::Error);
  EXPECT_THROW(ScoreScale::from_good_scores({1, kInfinity}), uad::Error);
}

const Thresholds kModel{.image = {0, 10, 20}, .map = {0, 1, 2}, .warn = 8, .min_area = 5};

TEST(Apply, NanLeavesTheModelAlone) { EXPECT_EQ(uad::apply(kModel, ThresholdOverrides{}), kModel); }

TEST(Apply, RejectMovesTheHalfWithIt) {
  const Thresholds moved = uad::apply(kModel, {.reject = 14});
  EXPECT_EQ(moved.image.normalise(14), 0.5);
  EXPECT_EQ(moved.warn, 8);
  EXPECT_EQ(moved.map, kModel.map);
}

TEST(Apply, RejectBelowWarnTakesWarnAlong) { EXPECT_EQ(uad::apply(kModel, {.reject = 6}).warn, 6); }

TEST(Apply, WarnAboveRejectIsRefused) {
  EXPECT_THROW(uad::apply(kModel, {.warn = 11}), uad::Error);
  EXPECT_THROW(uad::apply(kModel, {.warn = 8, .reject = 6}), uad::Error);
  EXPECT_EQ(uad::apply(kModel, {.warn = 10}).warn, 10);
}

TEST(Apply, RejectMustExceedTheLowEnd) {
  EXPECT_THROW(uad::apply(kModel, {.reject = 0}), uad::Error);
  EXPECT_THROW(uad::apply(kModel, {.reject = kInfinity}), uad::Error);
}

TEST(Apply, MinAreaChangesNothingElse) {
  Thresholds expected = kModel;
  expected.min_area = 50;
  EXPECT_EQ(uad::apply(kModel, {.min_area = 50}), expected);
}

TEST(Judge, BordersBelongToTheWorseSide) {
  EXPECT_EQ(uad::judge(7.999, kModel), Verdict::kPass);
  EXPECT_EQ(uad::judge(8, kModel), Verdict::kWarn);
  EXPECT_EQ(uad::judge(9.999, kModel), Verdict::kWarn);
  EXPECT_EQ(uad::judge(10, kModel), Verdict::kReject);
}

TEST(Judge, BrokenScoreIsNeverAPass) {
  for (const double score : {kNan, kInfinity, -kInfinity}) {
    EXPECT_EQ(uad::judge(score, kModel), Verdict::kUnscored);
  }
}

TEST(Verdict, WordsAreThoseOfTheMessages) {
  EXPECT_EQ(uad::to_string(Verdict::kPass), "PASS");
  EXPECT_EQ(uad::to_string(Verdict::kWarn), "WARN");
  EXPECT_EQ(uad::to_string(Verdict::kReject), "REJECT");
  EXPECT_EQ(uad::to_string(Verdict::kUnscored), "UNSCORED");
}

}  // namespace

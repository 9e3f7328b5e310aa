// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/cost.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace uad {
namespace {

// Good parts score 1, 2, 3, 6; defects 5, 7, 8, 9. Worked out by hand:
//
//   reject from | good rejected | defects missed
//        5      |      1/4      |      0/4
//        6      |      1/4      |      1/4
//        7      |      0/4      |      1/4
//        8      |      0/4      |      2/4
//     nothing   |      0/4      |      4/4
const std::vector<double> kScores{1, 2, 3, 6, 5, 7, 8, 9};
const std::vector<std::uint8_t> kLabels{0, 0, 0, 0, 1, 1, 1, 1};

CheapestThreshold cheapest(const Costs& costs) {
  return cheapest_threshold(kScores, kLabels, costs);
}

TEST(Cost, WeighsTheRatesOfTheSetWithTheShareOfTheLine) {
  // 1000 parts with 1 % defects: 990 good, of which 1/4 are rejected at 1; 10 defective, of which
  // 2/8 are missed at 10. 990 / 4 + 10 / 4 * 10 = 247.5 + 25.
  EXPECT_DOUBLE_EQ(cost_per_1000({.tp = 6, .fp = 1, .fn = 2, .tn = 3}, {1, 10, 0.01}), 272.5);
}

TEST(Cost, ManyDefectsLowerTheCheapestThreshold) {
  const CheapestThreshold many = cheapest({1, 10, 0.1});  // 900 / 4; at 7 it would be 100 / 4 * 10
  EXPECT_EQ(many.threshold, 5);
  EXPECT_DOUBLE_EQ(many.cost, 225);
  EXPECT_EQ(many.images.fp, 1);
  EXPECT_EQ(many.images.fn, 0);
  const CheapestThreshold few = cheapest({1, 10, 0.01});  // 10 / 4 * 10
  EXPECT_EQ(few.threshold, 7);
  EXPECT_DOUBLE_EQ(few.cost, 25);
}

TEST(Cost, TellsFromWhereThresholdsDecideTheSame) {
  const CheapestThreshold best = cheapest({1, 10, 0.1});
  EXPECT_EQ(best.above, 3);
  EXPECT_EQ(best.candidates, 1);
  EXPECT_EQ(cheapest({0, 10, 0.1}).threshold, 1);  // good parts cost nothing: reject everything
  EXPECT_EQ(cheapest({0, 10, 0.1}).above, -std::numeric_limits<double>::infinity());
}

TEST(Cost, TheHandyThresholdIsShortAndDecidesTheSame) {
  EXPECT_EQ(cheapest({1, 10, 0.1}).handy, 4);     // (3, 5]
  EXPECT_EQ(cheapest({1, 10, 0.01}).handy, 6.5);  // (6, 7]: of one digit there is only 7 itself
  EXPECT_EQ(cheapest({0, 10, 0.1}).handy, 1);     // (-infinity, 1]
  const std::vector<double> close{0.123456, 0.123457};
  const std::vector<std::uint8_t> labels{0, 1};
  EXPECT_EQ(cheapest_threshold(close, labels, {1, 1, 0.5}).handy, 0.1234565);
  const std::vector<double> reversed{9, 1};
  EXPECT_EQ(cheapest_threshold(reversed, labels, {1, 1, 0.01}).handy, 9.1);  // nothing is rejected
}

TEST(Cost, OfEqualCostsTheLowestThresholdIsTaken) {
  const CheapestThreshold tied = cheapest({1, 9, 0.1});  // 900 / 4 at 5, 100 / 4 * 9 at 7
  EXPECT_EQ(tied.threshold, 5);
  EXPECT_EQ(tied.candidates, 2);
  EXPECT_EQ(tied.highest, 7);
  EXPECT_DOUBLE_EQ(tied.cost, 225);
}

TEST(Cost, RejectingNothingMayBeCheapest) {
  // The best part is above every defect, so each reject costs more than it saves.
  const std::vector<double> scores{9, 1};
  const std::vector<std::uint8_t> labels{0, 1};
  const CheapestThreshold reversed = cheapest_threshold(scores, labels, {1, 1, 0.01});
  EXPECT_GT(reversed.threshold, 9);
  EXPECT_EQ(reversed.images.tp + reversed.images.fp, 0);
  EXPECT_DOUBLE_EQ(reversed.cost, 10);
}

TEST(Cost, AThresholdAboveAScoreOfZeroIsFinite) {
  const std::vector<double> scores{0, -1};
  const std::vector<std::uint8_t> labels{0, 1};
  const CheapestThreshold nothing = cheapest_threshold(scores, labels, {1, 1, 0.01});
  EXPECT_EQ(nothing.images.tp + nothing.images.fp, 0);
  EXPECT_EQ(nothing.handy, std::numeric_limits<double>::denorm_min());
}

TEST(Cost, EqualScoresAreRejectedTogether) {
  const std::vector<double> scores{1, 5, 5, 5};
  const std::vector<std::uint8_t> labels{0, 0, 1, 1};
  const CheapestThreshold best = cheapest_threshold(scores, labels, {1, 100, 0.5});
  EXPECT_EQ(best.threshold, 5);
  EXPECT_EQ(best.images.fp, 1);
  EXPECT_EQ(best.images.tp, 2);
}

TEST(Cost, AClassThatTheSetLacksIsUndefinedUnlessTheLineLacksItToo) {
  EXPECT_TRUE(std::isnan(cost_per_1000({.fp = 1, .tn = 3}, {1, 10, 0.01})));
  EXPECT_DOUBLE_EQ(cost_per_1000({.fp = 1, .tn = 3}, {1, 10, 0}), 250);
}

TEST(Cost, RefusesWhatIsNoCostOrShare) {
  check({1, 10, 0.5});
  test::expect_error(ErrorCode::kBadOption, {"cost-false-reject", "-1"}, [] {
    check({-1, 10, 0.5});
  });
  test::expect_error(ErrorCode::kBadOption, {"cost-false-accept", "inf"}, [] {
    check({1, INFINITY, 0.5});
  });
  test::expect_error(ErrorCode::kBadOption, {"defect-rate", "1.5"}, [] { check({1, 10, 1.5}); });
  test::expect_error(ErrorCode::kBadOption, {"defect-rate", "nan"}, [] { check({1, 10, NAN}); });
}

}  // namespace
}  // namespace uad

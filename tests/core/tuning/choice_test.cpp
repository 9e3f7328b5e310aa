// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tuning/choice.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace uad {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Measurement measured(const std::string& precision, int threads, double ms, double shift = 0,
                     double auroc = std::nan("")) {
  Measurement one;
  one.file = "part.uad";
  one.precision = precision;
  one.threads = threads;
  one.cut.median = 2;
  one.analyse.median = ms - 2;
  one.shift = shift;
  one.image_auroc = auroc;
  return one;
}

TEST(Choice, EveryFrameIsAnalysedWhereTheTimeIsEnough) {
  const Choice choice = choose({measured("fp32", 1, 40), measured("fp32", 2, 20)},
                               {.fps = 30, .cameras = 1, .busy = 0.8});
  EXPECT_EQ(choice.measurement, 1U);
  EXPECT_EQ(choice.interval, 1);
  EXPECT_DOUBLE_EQ(choice.analysed, 30);
  EXPECT_DOUBLE_EQ(choice.busy, 0.6);
}

// 2 cameras of 30 frames at 40 ms are 2.4 s of work a second; 0.8 s are allowed.
TEST(Choice, TheIntervalGrowsWithTheCameras) {
  const Demand demand{.fps = 30, .cameras = 2, .busy = 0.8};
  const Choice choice = choose({measured("fp32", 2, 40)}, demand);
  EXPECT_EQ(choice.interval, 3);
  EXPECT_DOUBLE_EQ(choice.analysed, 10);
  EXPECT_DOUBLE_EQ(choice.busy, 0.8);
}

TEST(Choice, OfThoseThatKeepUpAlikeTheOneWithTheLeastProcessorTimeIsTaken) {
  const Choice choice = choose({measured("fp32", 4, 15), measured("fp32", 1, 25)}, {.fps = 30});
  EXPECT_EQ(choice.measurement, 1U);
}

TEST(Choice, AFasterPrecisionThatShiftsScoresIsLeftOut) {
  const std::vector<Measurement> both{measured("fp32", 1, 60), measured("bf16", 1, 20, 0.05)};
  const Choice strict = choose(both, {.fps = 30, .shift = 0.02});
  EXPECT_EQ(strict.measurement, 0U);
  EXPECT_THAT(strict.refused, ElementsAre(HasSubstr("part.uad in bf16")));
  const Choice lenient = choose(both, {.fps = 30, .shift = 0.06});
  EXPECT_EQ(lenient.measurement, 1U);
  EXPECT_THAT(lenient.refused, IsEmpty());
}

TEST(Choice, WhereAurocIsKnownItDecidesAndNotTheShift) {
  const std::vector<Measurement> both{measured("fp32", 1, 60, 0, 0.950),
                                      measured("bf16", 1, 20, 0.05, 0.946)};
  EXPECT_EQ(choose(both, {.fps = 30, .tolerance = 0.005}).measurement, 1U);
  const Choice strict = choose(both, {.fps = 30, .tolerance = 0.003});
  EXPECT_EQ(strict.measurement, 0U);
  EXPECT_THAT(strict.refused, ElementsAre(HasSubstr("0.9460, the best is 0.9500")));
}

TEST(Choice, EachFaultIsNamedOnceHoweverManyThreadCountsItHas) {
  const Choice choice =
      choose({measured("fp32", 1, 60), measured("bf16", 1, 20, 1), measured("bf16", 2, 10, 1)}, {});
  EXPECT_EQ(choice.refused.size(), 1U);
}

TEST(Choice, ImpossibleDemandsAreNamed) {
  const std::vector<Measurement> one{measured("fp32", 1, 60)};
  test::expect_error(ErrorCode::kBadOption, {"--fps is 0"}, [&] { choose(one, {.fps = 0}); });
  test::expect_error(ErrorCode::kBadOption, {"--cameras"}, [&] { choose(one, {.cameras = 0}); });
  test::expect_error(ErrorCode::kBadOption, {"--busy is 1.5"}, [&] { choose(one, {.busy = 1.5}); });
  test::expect_error(ErrorCode::kBadOption, {"nothing measured"}, [&] { choose({}, {}); });
}

}  // namespace
}  // namespace uad

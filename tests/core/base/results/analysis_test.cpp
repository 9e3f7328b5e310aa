// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/analysis.h"

#include <cmath>
#include <memory>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using uad::Capture;
using uad::Verdict;

constexpr std::uint64_t kMs = 1'000'000;
const uad::Thresholds kThresholds{{0, 2, 4}, {0, 1, 2}, 1.5, 0};

uad::AnalysisPtr passed(const Capture& capture) {
  uad::Analysis analysis;
  analysis.verdict = Verdict::kPass;
  analysis.capture = capture;
  return std::make_shared<const uad::Analysis>(analysis);
}

Capture at_ms(std::uint64_t running_ms) { return {running_ms * kMs, running_ms * kMs, 0, {}}; }

TEST(JudgeOutput, ScoreIsJudgedOnTheImageScaleAndRegionsOnTheMapScale) {
  uad::ModelOutput output{2.5, {2, 1, {0.5F, 1.0F}}, {0, 0, 20, 10}, 12};
  const auto analysis = uad::judge_output(output, kThresholds, {});
  EXPECT_EQ(analysis.verdict, Verdict::kReject);
  EXPECT_DOUBLE_EQ(analysis.normalised_score, 0.625);
  ASSERT_EQ(analysis.regions.size(), 1U);
  EXPECT_EQ(analysis.regions[0].box, (uad::Rect{10, 0, 10, 10}));
  EXPECT_DOUBLE_EQ(analysis.timings.infer_ms, 12);
}

TEST(JudgeOutput, OverrideOfRejectMovesTheVerdict) {
  uad::ThresholdOverrides overrides;
  overrides.reject = 3;
  const auto analysis =
      uad::judge_output({2.5, {1, 1, {0}}, {0, 0, 1, 1}, 0}, kThresholds, overrides);
  EXPECT_EQ(analysis.verdict, Verdict::kWarn);
  EXPECT_DOUBLE_EQ(analysis.thresholds.image.thr, 3);
}

TEST(Show, NothingKnownIsUnscoredWithItsReason) {
  const auto shown = uad::show(nullptr, at_ms(40), 1s, "loading model");
  EXPECT_EQ(shown.verdict, Verdict::kUnscored);
  EXPECT_STREQ(shown.note, "loading model");
  EXPECT_EQ(shown.age_ns, uad::kNoTime);
}

TEST(Show, ResultWithinMaxAgeKeepsItsVerdictAndTellsItsAge) {
  const auto shown = uad::show(passed(at_ms(100)), at_ms(1100), 1s, "");
  EXPECT_EQ(shown.verdict, Verdict::kPass);
  EXPECT_EQ(shown.age_ns, 1000 * kMs);
}

TEST(Show, OlderResultIsUnscoredNeverPass) {
  const auto shown = uad::show(passed(at_ms(100)), at_ms(1101), 1s, "");
  EXPECT_EQ(shown.verdict, Verdict::kUnscored);
  EXPECT_STREQ(shown.note, "result too old");
}

TEST(Show, ResultFromTheFutureIsUnscored) {
  EXPECT_EQ(uad::show(passed(at_ms(500)), at_ms(100), 1s, "").verdict, Verdict::kUnscored);
}

TEST(Show, WithoutTimestampsTheArrivalCounts) {
  Capture first;
  Capture later;
  later.arrival = first.arrival + 1500ms;
  EXPECT_EQ(uad::show(passed(first), later, 1s, "").verdict, Verdict::kUnscored);
  EXPECT_EQ(uad::show(passed(first), later, 2s, "").verdict, Verdict::kPass);
}

TEST(Show, ScoreThatIsNoNumberIsUnscored) {
  uad::ModelOutput output{std::nan(""), {1, 1, {0}}, {0, 0, 1, 1}, 0};
  auto analysis = std::make_shared<const uad::Analysis>(uad::judge_output(output, kThresholds, {}));
  const auto shown = uad::show(analysis, analysis->capture, 1s, "");
  EXPECT_EQ(shown.verdict, Verdict::kUnscored);
  EXPECT_STREQ(shown.note, "score is not a number");
}

}  // namespace

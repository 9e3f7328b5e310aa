// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/part_judge.h"

#include <cmath>
#include <limits>
#include <memory>

#include "tests/support/expect_error.h"

namespace {

using namespace std::chrono_literals;
using uad::Capture;
using uad::PartJudge;
using uad::PartVerdict;
using uad::Verdict;

constexpr std::uint64_t kMs = 1'000'000;

/// Frames every 40 ms; 'p', 'w', 'r' have that verdict, 'u' has no finite score, '-' is left out of
/// the analysis, '|' begins the next part.
class PartJudgeTest : public ::testing::Test {
 protected:
  static Capture capture(std::uint64_t frame, std::uint64_t ms) {
    Capture capture;
    capture.frame = frame;
    capture.pts = capture.running_time = ms * kMs;
    return capture;
  }
  static uad::AnalysisPtr analysis(const Capture& capture, char verdict, double score) {
    auto result = std::make_shared<uad::Analysis>();
    result->capture = capture;
    result->verdict = verdict == 'r'   ? Verdict::kReject
                      : verdict == 'w' ? Verdict::kWarn
                      : verdict == 'u' ? Verdict::kUnscored
                                       : Verdict::kPass;
    result->score = score;
    result->normalised_score = std::min(1.0, score);
    return result;
  }
  static double score_of(char verdict) { return verdict == 'r' ? 0.9 : verdict == 'w' ? 0.4 : 0.1; }
  void next(char what) {
    if (what == '|') return judge.begin();
    const Capture at = capture(frame_, frame_ * 40);
    ++frame_;
    judge.frame(at, what != '-');
    if (what != '-') judge.result(analysis(at, what, score_of(what)));
  }
  /// One letter a part: P, W, R or U.
  std::string verdicts(const std::string& frames) {
    judge.begin();
    for (const char what : frames) next(what);
    judge.end();
    done = judge.take();
    std::string letters;
    for (const PartVerdict& part : done) letters += to_string(part.verdict).front();
    return letters;
  }

  PartJudge judge;
  std::vector<PartVerdict> done;

 private:
  std::uint64_t frame_ = 0;
};

TEST_F(PartJudgeTest, EachPartIsJudgedByItsOwnFrames) {
  EXPECT_EQ(verdicts("pp|pr|pw|pp"), "PRWP");
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(done[1].part, 1U);
  EXPECT_EQ(done[1].first_pts, 80 * kMs);
  EXPECT_EQ(done[1].last_pts, 120 * kMs);
  EXPECT_EQ(done[1].frames, 2U);
  EXPECT_EQ(done[1].bad, 1U);
  EXPECT_EQ(done[1].why, "1 of 1 frames were bad");
  EXPECT_EQ(done[0].why, "");
}

TEST_F(PartJudgeTest, RejectsWhenKOfNInARowAreBad) {
  judge.set({{2, 3}});
  EXPECT_EQ(verdicts("pprpp|rpr|rppr|rrp"), "PRPR");
  EXPECT_EQ(done[2].bad, 2U) << "counted, but too far apart";
}

TEST_F(PartJudgeTest, WarnsWhenKOfNReachAtLeastWarn) {
  judge.set({{2, 3}});
  EXPECT_EQ(verdicts("pwpp|wpr|www|wppw"), "PWWP");
}

TEST_F(PartJudgeTest, FramesInARowAreThoseAnalysed) {
  judge.set({{2, 2}});
  EXPECT_EQ(verdicts("r--r|rupr|r-ur"), "RPR");
}

TEST_F(PartJudgeTest, HysteresisKeepsFramesBadDownToWarn) {
  judge.set({{3, 3}, true});
  EXPECT_EQ(verdicts("rww|rwpw|wwr"), "RPW");
  EXPECT_EQ(done[0].bad, 3U);
  judge.set({{3, 3}, false});
  EXPECT_EQ(verdicts("rww"), "W");
}

TEST_F(PartJudgeTest, HysteresisEndsWithThePart) {
  judge.set({{1, 1}, true});
  EXPECT_EQ(verdicts("pr|wp"), "RW");
}

TEST_F(PartJudgeTest, ADefectOnTheBoundaryRejectsBothWithinTheHold) {
  judge.set({{1, 1}, false, 100ms});
  EXPECT_EQ(verdicts("pr|ppp|ppp"), "RRP");
  EXPECT_EQ(done[1].why, "held over from part 0");
  EXPECT_EQ(done[1].bad, 0U);
  EXPECT_EQ(verdicts("rppp|ppp"), "RP") << "the hold ended before the second part began";
}

TEST_F(PartJudgeTest, BadFramesCountInTheNextPartWithinTheHold) {
  judge.set({{3, 5}, false, 100ms});
  EXPECT_EQ(verdicts("pprr|rppp"), "PR");
  judge.set({{3, 5}});
  EXPECT_EQ(verdicts("pprr|rppp"), "PP");
}

TEST_F(PartJudgeTest, NeverPassesWithFewerAnalysedFramesThanTheRuleNeeds) {
  EXPECT_EQ(verdicts("---|uuu|-p-"), "UUP");
  EXPECT_EQ(done[0].why, "no frame of it was analysed");
  judge.set({{3, 5}});
  EXPECT_EQ(verdicts("p-p|ppp"), "UP");
  EXPECT_EQ(done[0].why, "only 2 frames of it were analysed, but the rule needs 3");
}

TEST_F(PartJudgeTest, PartThatNoFrameShowedIsUnscored) {
  EXPECT_EQ(verdicts("||p"), "UUP");
  EXPECT_EQ(done[0].why, "no frame of it was seen");
}

TEST_F(PartJudgeTest, GapWithoutResultsIsNotPassed) {
  judge.set({.max_gap = 80ms});
  EXPECT_EQ(verdicts("p-p-p|p--p|---p|p---|r---"), "PUUUR") << "inside, at the start, at the end";
  EXPECT_EQ(done[1].why, "no result for 120 ms");
  EXPECT_EQ(verdicts("w---"), "U") << "a doubt does not make up for what was not seen";
}

TEST_F(PartJudgeTest, ASilentCameraBeforeTheEndIsAGap) {
  judge.begin();
  next('p');
  judge.end(capture(0, 5000));
  EXPECT_EQ(judge.take().at(0).why, "no result for 5000 ms");
}

TEST_F(PartJudgeTest, ASilentCameraAfterTheBeginningIsAGap) {
  judge.begin("", capture(0, 0));
  const Capture first = capture(0, 4100);
  judge.frame(first, true);
  judge.result(analysis(first, 'p', 0.1));
  judge.end(capture(0, 4200));
  EXPECT_EQ(judge.take().at(0).why, "no result for 4100 ms");
}

TEST_F(PartJudgeTest, FramesThatOvertakeTheCallThatBeginsOrEndsAPartAreNoJumpOfTime) {
  judge.begin("", capture(0, 20));
  next('p');  // at 0
  next('p');  // at 40
  judge.end(capture(0, 39));
  EXPECT_EQ(verdicts(""), "PU") << "the other has no frames";
  EXPECT_EQ(done[0].why, "");
}

TEST_F(PartJudgeTest, AGoodFrameNeitherRejectsNorWarnsForThoseOfThePartBefore) {
  judge.set({{2, 3}, false, 100ms});
  EXPECT_EQ(verdicts("rr|p|p|pp"), "RRRP") << "held for 100 ms after the last bad frame";
  EXPECT_EQ(done[1].why, "held over from part 0");
  EXPECT_EQ(verdicts("pppp|ww|pp"), "PWP");
}

TEST_F(PartJudgeTest, NothingIsHeldOverAnInterruption) {
  judge.set({{1, 1}, false, 1000ms});
  judge.begin();
  next('r');
  judge.begin();
  next('p');
  judge.abandon(false);
  judge.begin();
  next('p');
  judge.end();
  const auto parts = judge.take();
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[1].why, "held over from part 0") << "it was begun before";
  EXPECT_EQ(parts[2].verdict, Verdict::kPass);
  judge.set({{2, 3}, false, 1000ms});
  EXPECT_EQ(verdicts("pr"), "P");
  judge.abandon(false);
  EXPECT_EQ(verdicts("rp"), "P") << "the bad frame before it counts no more";
}

TEST_F(PartJudgeTest, TimeThatJumpsBackIsNotPassed) {
  judge.begin();
  for (const auto& at : {capture(0, 500), capture(1, 100)}) {
    judge.frame(at, true);
    judge.result(analysis(at, 'p', 0.1));
  }
  judge.end();
  EXPECT_EQ(judge.take().at(0).why, "its time jumped back");
}

TEST_F(PartJudgeTest, WorstIsTheHighestScoreEvenBeyondTheScale) {
  judge.begin();
  const double scores[] = {0.3, 1.5, 7.0, 2.0};
  for (std::uint64_t i = 0; i < 4; ++i) {
    judge.frame(capture(i, i * 40), true);
    judge.result(analysis(capture(i, i * 40), 'r', scores[i]));
  }
  judge.end();
  EXPECT_EQ(judge.take().at(0).worst->capture.frame, 2U);
}

TEST_F(PartJudgeTest, ALateResultCountsForItsOwnPartWhichWaitsForIt) {
  judge.begin();
  judge.frame(capture(0, 0), true);
  judge.begin();
  judge.frame(capture(1, 40), true);
  EXPECT_TRUE(judge.take().empty()) << "frame 0 is still being analysed";
  judge.result(analysis(capture(0, 0), 'r', 0.9));
  auto first = judge.take();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].verdict, Verdict::kReject);
  judge.result(analysis(capture(1, 40), 'p', 0.1));
  judge.end();
  EXPECT_EQ(judge.take().at(0).verdict, Verdict::kPass);
}

TEST_F(PartJudgeTest, AFrameReplacedInTheQueueIsNotWaitedForOnceANewerOneIsDone) {
  judge.begin();
  judge.frame(capture(0, 0), true);
  judge.begin();
  judge.frame(capture(1, 40), true);
  judge.result(analysis(capture(1, 40), 'p', 0.1));
  const auto first = judge.take();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].verdict, Verdict::kUnscored);
}

TEST_F(PartJudgeTest, AResultAfterItsPartWasGivenUpCountsNowhere) {
  judge.begin();
  judge.frame(capture(0, 0), true);
  judge.abandon(false);
  EXPECT_EQ(judge.take().at(0).verdict, Verdict::kUnscored);
  judge.begin();
  judge.result(analysis(capture(0, 0), 'r', 0.9));
  next('p');
  judge.end();
  EXPECT_EQ(judge.take().at(0).verdict, Verdict::kPass);
}

TEST_F(PartJudgeTest, AnInterruptedPartDoesNotPassButMayReject) {
  for (const char frame : {'p', 'r'}) {
    judge.begin();
    next(frame);
    judge.abandon(true);
    EXPECT_EQ(judge.take().at(0).verdict, frame == 'p' ? Verdict::kUnscored : Verdict::kReject);
  }
}

TEST_F(PartJudgeTest, FramesBetweenPartsBelongToNone) {
  next('r');
  judge.begin();
  next('p');
  judge.end();
  next('r');
  judge.begin({}, {}, 3);
  next('p');
  judge.end();
  const auto parts = judge.take();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].verdict, Verdict::kPass);
  EXPECT_EQ(parts[1].verdict, Verdict::kPass);
  EXPECT_EQ(parts[1].part, 4U) << "three passed unseen";
}

TEST(WorstPlace, IsTheRegionAndItsStrongestPixelInTheFrame) {
  uad::Analysis analysis;
  analysis.map = {4, 2, {0, 0, 9, 0, 0, 5, 6, NAN}};
  analysis.placement = {100, 50, 40, 40};
  analysis.regions = {{{110, 70, 20, 20}}};
  const auto place = uad::worst_place(analysis);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->box, (uad::Rect{110, 70, 20, 20}));
  EXPECT_EQ(place->peak_x, 125) << "the 6: the 9 lies in another region";
  EXPECT_EQ(place->peak_y, 80);
}

TEST(WorstPlace, IsTheStrongestPixelWhereThereIsNoRegion) {
  uad::Analysis analysis;
  analysis.map = {4, 2, {NAN, 0, 9, 0, 0, 5, 6, 0}};
  analysis.placement = {100, 50, 40, 40};
  const auto place = uad::worst_place(analysis);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->box, (uad::Rect{120, 50, 10, 20}));
  EXPECT_EQ(place->peak_x, 125);
  analysis.map.values.assign(8, NAN);
  EXPECT_FALSE(uad::worst_place(analysis));
  analysis.map = {};
  EXPECT_FALSE(uad::worst_place(analysis));
}

TEST(KOfN, IsReadAndBadOnesAreRefusedWithTheFix) {
  EXPECT_EQ(uad::parse_k_of_n("3/5", "rule"), (uad::KOfN{3, 5}));
  for (const char* text : {"3/2", "0/2", "", "3", "3/", "/5", "3/5x", "-1/3", "1/10001", "a/b"}) {
    uad::test::expect_error(uad::ErrorCode::kBadOption, {"rule", "K/N", "3/5"},
                            [&] { return uad::parse_k_of_n(text, "rule"); });
  }
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/part_tracker.h"

#include <condition_variable>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using uad::Capture;
using uad::PartBoundary;
using uad::PartOptions;
using uad::PartTracker;
using uad::PartVerdict;
using uad::Verdict;

constexpr std::uint64_t kMs = 1'000'000;

class PartTrackerTest : public ::testing::Test {
 protected:
  static PartOptions by_period(std::chrono::milliseconds period) {
    return {PartBoundary::kPeriod, period, 0, {.max_gap = 10s}};
  }
  /// One frame with its result.
  void frame(std::uint64_t running_ms, Verdict verdict = Verdict::kPass) {
    auto analysis = std::make_shared<uad::Analysis>();
    analysis->verdict = verdict;
    analysis->score = analysis->normalised_score = 0;
    analysis->capture.frame = number_++;
    analysis->capture.pts = analysis->capture.running_time = running_ms * kMs;
    pass(analysis);
  }
  void frame_without_time(std::chrono::milliseconds arrival) {
    auto analysis = std::make_shared<uad::Analysis>();
    analysis->verdict = Verdict::kPass;
    analysis->capture.frame = number_++;
    analysis->capture.arrival += arrival;
    pass(analysis);
  }
  void show(int grey) {
    std::vector<std::uint8_t> pixels(64 * 48, static_cast<std::uint8_t>(grey));
    std::fill_n(pixels.begin(), pixels.size() / 2, 0);  // no change of the light as a whole
    tracker.look({uad::PixelFormat::kGray8, 64, 48, {{{pixels.data(), 64}}}});
  }
  [[nodiscard]] std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> all;
    for (const PartVerdict& part : parts) all.push_back(part.part);
    return all;
  }
  [[nodiscard]] std::vector<std::uint64_t> frames() const {
    std::vector<std::uint64_t> all;
    for (const PartVerdict& part : parts) all.push_back(part.frames);
    return all;
  }

  /// What each frame was told of the parts begun.
  [[nodiscard]] const std::vector<std::uint64_t>& begun() const { return begun_; }

  std::vector<PartVerdict> parts;
  PartTracker tracker{[this](const PartVerdict& part) { parts.push_back(part); }};

 private:
  void pass(const uad::AnalysisPtr& analysis) {
    begun_.push_back(tracker.frame(analysis->capture, true));
    tracker.result(analysis);
  }
  std::uint64_t number_ = 0;
  std::vector<std::uint64_t> begun_;
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(PartTrackerTest, EachFrameIsToldHowManyPartsHaveBegun) {
  tracker.set(by_period(100ms));
  for (const std::uint64_t at : {0, 40, 80, 120, 160, 420}) frame(at);
  EXPECT_EQ(begun(), (Numbers{1, 1, 1, 2, 2, 5})) << "two passed unseen";
}

TEST_F(PartTrackerTest, AnEventCountsForTheNextFrame) {
  tracker.set({.boundary = PartBoundary::kEvent});
  frame(0);
  tracker.begin("A", {});
  frame(40);
  tracker.end({});
  frame(80);
  tracker.begin("B", {});
  frame(120);
  EXPECT_EQ(begun(), (Numbers{0, 1, 1, 2}));
}

TEST_F(PartTrackerTest, ThereAreNoPartsByDefault) {
  frame(0);
  tracker.begin("A", {});
  frame(40);
  EXPECT_EQ(begun(), (Numbers{0, 0}));
  tracker.finish();
  EXPECT_TRUE(parts.empty());
}

TEST_F(PartTrackerTest, PeriodsFollowEachOtherFromTheFirstFrameOn) {
  tracker.set(by_period(100ms));
  for (std::uint64_t ms = 5000; ms < 5280; ms += 40) frame(ms);
  tracker.finish();
  EXPECT_EQ(frames(), (Numbers{3, 2, 2})) << "at 0, 40, 80; 120, 160; 200, 240";
  EXPECT_EQ(parts[1].first_pts, 5120 * kMs);
}

TEST_F(PartTrackerTest, PeriodsThatNoFrameShowedKeepTheirNumbers) {
  tracker.set(by_period(100ms));
  for (const std::uint64_t ms : {0, 350, 390, 400}) frame(ms);
  tracker.finish();
  EXPECT_EQ(numbers(), (Numbers{0, 3, 4}));
  EXPECT_EQ(frames(), (Numbers{1, 2, 1})) << "the grid stays where it was";
}

TEST_F(PartTrackerTest, APeriodThatACameraLeftEarlyIsUnscored) {
  PartOptions options = by_period(1000ms);
  options.rule.max_gap = 200ms;
  tracker.set(options);
  for (const std::uint64_t ms : {0, 40, 2000}) frame(ms);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].verdict, Verdict::kUnscored);
  EXPECT_EQ(parts[0].why, "no result for 960 ms");
}

TEST_F(PartTrackerTest, APeriodOfWhichOnlyTheEndWasSeenIsUnscored) {
  PartOptions options = by_period(1000ms);
  options.rule.max_gap = 200ms;
  tracker.set(options);
  for (const std::uint64_t ms : {0, 1900, 1990, 2000}) frame(ms);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].verdict, Verdict::kUnscored);
  EXPECT_EQ(parts[1].why, "no result for 900 ms");
}

TEST_F(PartTrackerTest, SilenceAfterACallThatBeginsAPartIsNotPassed) {
  tracker.set({PartBoundary::kEvent});
  Capture now;
  tracker.begin("A", now);
  frame_without_time(4100ms);
  now.arrival += 4200ms;
  tracker.end(now);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].why, "no result for 4100 ms");
}

TEST_F(PartTrackerTest, TimeThatJumpsBackBeginsThePeriodsAnew) {
  tracker.set(by_period(100ms));
  for (const std::uint64_t ms : {1000, 1040, 0, 40, 90, 110}) frame(ms);
  tracker.finish();
  EXPECT_EQ(frames(), (Numbers{2, 3, 1}));
  EXPECT_EQ(numbers(), (Numbers{0, 1, 2}));
}

TEST_F(PartTrackerTest, FramesWithoutTimestampsAreTimedByTheirArrival) {
  tracker.set(by_period(100ms));
  for (const auto arrival : {0ms, 40ms, 80ms, 120ms}) frame_without_time(arrival);
  tracker.finish();
  EXPECT_EQ(frames(), (Numbers{3, 1}));
}

TEST_F(PartTrackerTest, CallsNameAPartAndOnlyWhatLiesBetweenThemIsOne) {
  tracker.set({PartBoundary::kEvent});
  frame(0, Verdict::kReject);
  tracker.begin("A17", {});
  frame(40);
  tracker.begin("A18", {});
  frame(80, Verdict::kReject);
  tracker.end({});
  frame(120, Verdict::kReject);
  tracker.finish();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].id, "A17");
  EXPECT_EQ(parts[0].verdict, Verdict::kPass);
  EXPECT_EQ(parts[1].id, "A18");
  EXPECT_EQ(parts[1].verdict, Verdict::kReject);
}

TEST_F(PartTrackerTest, APartThatWasAnnouncedButNeverCameIsNoPartAtTheEnd) {
  tracker.set({PartBoundary::kEvent});
  tracker.begin("A", {});
  frame(0);
  tracker.begin("B", {});
  tracker.finish();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].id, "A");
}

TEST_F(PartTrackerTest, PartsStandStillBetweenMovementsWhichAreNotJudged) {
  tracker.set({PartBoundary::kMotion, 0ms, 3.0});
  std::uint64_t ms = 0;
  const auto scene = [&](std::initializer_list<int> greys, Verdict verdict) {
    for (const int grey : greys) {
      show(grey);
      frame(ms += 40, verdict);
    }
  };
  scene({50, 50, 50, 50}, Verdict::kPass);
  scene({90, 130, 170, 210, 50}, Verdict::kReject);  // moves
  scene({50, 50, 50}, Verdict::kPass);
  tracker.finish();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(frames(), (Numbers{2, 2})) << "two each to see that it stands still";
  EXPECT_EQ(parts[0].verdict, Verdict::kPass);
  EXPECT_EQ(parts[1].verdict, Verdict::kPass);
}

TEST_F(PartTrackerTest, VerdictsKeepTheirOrderWithoutALockWhileOneIsHandedOver) {
  std::mutex lock;
  std::condition_variable changed;
  bool first_waits = false;
  bool go_on = false;
  std::vector<std::string> ids;
  PartTracker slow([&](const PartVerdict& part) {
    std::unique_lock guard(lock);
    ids.push_back(part.id);
    first_waits = true;
    changed.notify_all();
    changed.wait(guard, [&] { return go_on; });
  });
  slow.set({PartBoundary::kEvent});
  slow.begin("A", {});
  std::jthread other([&] { slow.begin("B", {}); });
  {
    std::unique_lock guard(lock);
    changed.wait(guard, [&] { return first_waits; });
  }
  slow.begin("C", {});  // returns at once; the other thread hands B over
  {
    const std::lock_guard guard(lock);
    go_on = true;
  }
  changed.notify_all();
  other.join();
  EXPECT_EQ(ids, (std::vector<std::string>{"A", "B"}));
}

TEST_F(PartTrackerTest, ResetForgetsThePartsButNotTheOptions) {
  tracker.set(by_period(100ms));
  frame(0, Verdict::kReject);
  tracker.reset();
  frame(0);
  tracker.finish();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].verdict, Verdict::kPass);
  EXPECT_EQ(parts[0].part, 0U);
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/good_marks.h"

#include <chrono>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <vector>

#include <gtest/gtest.h>

namespace uad {
namespace {

AnalysisPtr judged(Verdict verdict, std::uint64_t pts) {
  Analysis analysis;
  analysis.verdict = verdict;
  analysis.capture.pts = pts;
  return std::make_shared<const Analysis>(std::move(analysis));
}

class GoodMarksQueue : public ::testing::Test {
 protected:
  void reject(std::uint64_t pts) { marks.remember(judged(Verdict::kReject, pts), nullptr); }

  std::vector<std::uint64_t> learnt;  // the thread of the marks; read after `done`
  AnalysisPtr last;                   // the same
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> stopped{0};
  std::counting_semaphore<> done{0};
  std::counting_semaphore<> go{100};
  bool throws = false;
  int refusals = 0;
  GoodMarks marks{{[this](const JudgedFrame& frame, const std::stop_token& stop) {
                     begun.release();
                     while (!go.try_acquire_for(std::chrono::milliseconds(2))) {
                       if (!stop.stop_requested()) continue;
                       stopped.release();
                       throw std::runtime_error("stopped");
                     }
                     if (throws) throw std::runtime_error("no");
                     learnt.push_back(frame.analysis->capture.pts);
                     last = frame.analysis;
                     done.release();
                   },
                   [this](const JudgedFrame&, const std::exception_ptr&) {
                     ++refusals;
                     done.release();
                   }}};
};

TEST_F(GoodMarksQueue, MarkedFramesAreLearntInTheirOrder) {
  marks.remember_up_to(8);
  for (const std::uint64_t pts : {10, 20, 30}) reject(pts);
  EXPECT_TRUE(marks.mark(20));
  EXPECT_TRUE(marks.mark(kNoTime)) << "the newest";
  EXPECT_TRUE(marks.mark(10));
  EXPECT_FALSE(marks.mark(10)) << "once is enough";
  for (int i = 0; i < 3; ++i) done.acquire();
  EXPECT_EQ(learnt, (std::vector<std::uint64_t>{20, 30, 10}));
}

TEST_F(GoodMarksQueue, OfEqualTimesTheNewestIsMeant) {
  marks.remember_up_to(8);
  reject(10);
  const AnalysisPtr newest = judged(Verdict::kWarn, 10);
  marks.remember(newest, nullptr);
  EXPECT_TRUE(marks.mark(10));
  EXPECT_EQ(marks.remembered(), 1U);
  done.acquire();
  EXPECT_EQ(last, newest);
}

TEST_F(GoodMarksQueue, OnlyTheNewestThatDidNotPassAreRemembered) {
  reject(1);
  EXPECT_EQ(marks.remembered(), 0U) << "nobody asked for it";
  marks.remember_up_to(2);
  for (const std::uint64_t pts : {1, 2, 3}) reject(pts);
  marks.remember(judged(Verdict::kPass, 4), nullptr);
  EXPECT_EQ(marks.remembered(), 2U);
  EXPECT_FALSE(marks.mark(1));
  EXPECT_FALSE(marks.mark(4));
  marks.remember_up_to(1);
  EXPECT_EQ(marks.remembered(), 1U);
}

TEST_F(GoodMarksQueue, ARefusalIsToldAndTheNextGoesOn) {
  marks.remember_up_to(8);
  reject(1);
  reject(2);
  throws = true;
  marks.mark(1);
  done.acquire();
  throws = false;
  marks.mark(2);
  done.acquire();
  EXPECT_EQ(refusals, 1);
  EXPECT_EQ(learnt, (std::vector<std::uint64_t>{2}));
}

TEST_F(GoodMarksQueue, DroppedMarksAreNotLearntAndLaterOnesAre) {
  marks.remember_up_to(8);
  for (int i = 0; i < 100; ++i) go.acquire();
  for (const std::uint64_t pts : {1, 2, 3}) reject(pts);
  marks.mark(1);
  marks.mark(2);
  begun.acquire();  // the first is at work, the second waits
  marks.drop();
  stopped.acquire();
  marks.mark(3);
  go.release(100);
  done.acquire();
  marks.stop();
  EXPECT_EQ(learnt, (std::vector<std::uint64_t>{3}));
  EXPECT_EQ(refusals, 0);
}

TEST_F(GoodMarksQueue, StoppingEndsTheLearningWithoutARefusal) {
  marks.remember_up_to(8);
  for (int i = 0; i < 100; ++i) go.acquire();
  reject(1);
  reject(2);
  marks.mark(1);
  marks.mark(2);
  marks.stop();  // would hang
  EXPECT_EQ(refusals, 0);
  EXPECT_EQ(marks.remembered(), 0U);
}

}  // namespace
}  // namespace uad

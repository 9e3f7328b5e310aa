// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/latest_worker.h"

#include <future>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/base/error.h"

namespace {

using namespace std::chrono_literals;
using uad::AnalysisPtr;
using uad::LatestWorker;

AnalysisPtr scored(double score) {
  uad::Analysis analysis;
  analysis.score = score;
  return std::make_shared<const uad::Analysis>(analysis);
}

/// A worker whose first job is held back by the test.
class LatestWorkerTest : public ::testing::Test {
 protected:
  void hold(double score) {
    worker.submit([this, score] {
      started.set_value();
      release.get_future().wait();
      return scored(score);
    });
    started.get_future().wait();
  }
  /// The score of the n-th result, from 1.
  double result(std::size_t n) {
    std::unique_lock guard(lock);
    EXPECT_TRUE(arrived.wait_for(guard, 5s, [&] { return results.size() >= n; }));
    return results.size() >= n ? results[n - 1]->score : -1;
  }
  std::promise<void> started;
  std::promise<void> release;
  std::mutex lock;
  std::condition_variable arrived;
  std::vector<AnalysisPtr> results;
  LatestWorker worker{[this](const AnalysisPtr& analysis) {
    const std::lock_guard guard(lock);
    results.push_back(analysis);
    arrived.notify_all();
  }};
};

TEST_F(LatestWorkerTest, ResultBecomesTheLatest) {
  EXPECT_EQ(worker.latest(), nullptr);
  worker.submit([] { return scored(0.3); });
  EXPECT_EQ(result(1), 0.3);
  EXPECT_EQ(worker.latest()->score, 0.3);
}

TEST_F(LatestWorkerTest, NewerJobReplacesTheWaitingOneAndIsCounted) {
  hold(1);
  worker.submit([] { return scored(2); });
  worker.submit([] { return scored(3); });
  worker.submit([] { return scored(4); });
  EXPECT_EQ(worker.dropped(), 2U);
  release.set_value();
  EXPECT_EQ(result(1), 1);
  EXPECT_EQ(result(2), 4);
}

TEST_F(LatestWorkerTest, ExceptionIsThrownAtTheNextCallOnce) {
  worker.submit([this]() -> AnalysisPtr {
    started.set_value();
    throw uad::Error(uad::ErrorCode::kFailed, "worn out");
  });
  started.get_future().wait();
  while (!worker.free_by(LatestWorker::Clock::now() - 1h)) std::this_thread::yield();
  EXPECT_THROW((void)worker.latest(), uad::Error);
  EXPECT_NO_THROW((void)worker.latest());
}

TEST_F(LatestWorkerTest, ResultFromBeforeAFlushIsForgotten) {
  hold(1);
  worker.forget();
  release.set_value();
  worker.submit([] { return scored(2); });
  EXPECT_EQ(result(1), 2);
  EXPECT_EQ(worker.latest()->score, 2);
}

TEST_F(LatestWorkerTest, DrainWaitsForEveryJobAndItsReport) {
  hold(1);
  worker.submit([] {
    std::this_thread::sleep_for(20ms);
    return scored(2);
  });
  release.set_value();
  worker.drain(5s);
  const std::lock_guard guard(lock);
  EXPECT_EQ(results.size(), 2U);
}

TEST_F(LatestWorkerTest, DrainGivesUpAtItsLimitAndAtAFlush) {
  hold(1);
  const auto start = LatestWorker::Clock::now();
  worker.drain(50ms);
  EXPECT_GE(LatestWorker::Clock::now() - start, 50ms);
  std::jthread flush([this] {
    std::this_thread::sleep_for(20ms);
    worker.forget();
  });
  worker.drain(1h);
  release.set_value();
}

TEST_F(LatestWorkerTest, DrainThrowsWhatTheLastJobThrew) {
  worker.submit([]() -> AnalysisPtr { throw uad::Error(uad::ErrorCode::kFailed, "worn out"); });
  EXPECT_THROW(worker.drain(5s), uad::Error);
}

TEST_F(LatestWorkerTest, OfTheFirstJobNobodyKnowsHowLongItTakes) {
  hold(1);
  EXPECT_FALSE(worker.free_by(LatestWorker::Clock::now() + 1h));
  release.set_value();
  EXPECT_EQ(result(1), 1);
}

TEST_F(LatestWorkerTest, BusyWorkerIsFreeByTheTimeTheLastJobTook) {
  EXPECT_TRUE(worker.free_by(LatestWorker::Clock::now()));
  hold(1);
  worker.submit([] { return scored(2); });
  EXPECT_FALSE(worker.free_by(LatestWorker::Clock::now() + 1h)) << "one job waits already";
  release.set_value();
  EXPECT_EQ(result(2), 2);
}

TEST_F(LatestWorkerTest, StopForgetsAndWorkMayGoOn) {
  worker.submit([] { return scored(1); });
  EXPECT_EQ(result(1), 1);
  worker.stop();
  EXPECT_EQ(worker.latest(), nullptr);
  worker.submit([] { return scored(2); });
  EXPECT_EQ(result(2), 2);
}

TEST(LatestWorkerPriority, JobsRunAtTheNicenessAskedFor) {
  std::promise<int> found;
  LatestWorker nice(nullptr, 10);
  nice.submit([&] {
    found.set_value(getpriority(PRIO_PROCESS, 0));
    return AnalysisPtr();
  });
  EXPECT_EQ(found.get_future().get(), 10);
  EXPECT_LT(getpriority(PRIO_PROCESS, 0), 10) << "this thread is not touched";
}

}  // namespace

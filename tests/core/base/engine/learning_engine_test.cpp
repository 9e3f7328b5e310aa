// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/learning_engine.h"

#include <atomic>
#include <future>
#include <semaphore>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace uad {
namespace {

using namespace std::chrono_literals;

/// Does as it is told.
class Puppet final : public Trainer {
 public:
  Collected add(const FrameView&) override {
    if (count >= room) return Collected::kFull;
    ++count;
    return Collected::kKept;
  }
  [[nodiscard]] std::size_t frames() const override { return count; }
  [[nodiscard]] MemoryForecast forecast() override { return {1, room}; }
  [[nodiscard]] Trained fit(const std::filesystem::path& output,
                            const FitControl& control) override {
    fits.release();
    while (!go.try_acquire_for(5ms)) {
      if (control.enough.stop_requested()) return {{}, "early"};
      if (control.cancel.stop_requested()) throw Error(ErrorCode::kCancelled, "");
    }
    if (fails) throw Error(ErrorCode::kFailed, "torn");
    return {{}, output.string()};
  }

  std::atomic<std::size_t> count{0};
  std::size_t room = 100;
  bool fails = false;
  std::counting_semaphore<> fits{0};
  std::counting_semaphore<> go{0};
};

class LearningEngineTest : public ::testing::Test {
 protected:
  void start(LearningPlan plan) {
    plan.output = "m.uad";
    engine.start(plan, [this] {
      auto made = std::make_unique<Puppet>();
      made->room = room;
      made->fails = fails;
      puppet = made.get();
      return made;
    });
  }
  void offer(int frames) {
    for (int i = 0; i < frames; ++i) {
      if (engine.wants_next(true)) engine.take({});
    }
  }

  std::size_t room = 100;
  bool fails = false;
  std::atomic<Puppet*> puppet{nullptr};
  std::atomic<int> ready{0};
  std::atomic<int> failed{0};
  std::atomic<std::size_t> full{0};
  std::string written;
  LearningEngine engine{{{},
                         {},
                         {},
                         [this](std::size_t frames) { full = frames; },
                         [this](const Trained& trained) { written = trained.sha256, ++ready; },
                         [this](const std::exception_ptr&) { ++failed; }}};
};

TEST_F(LearningEngineTest, FitsOnceTheFramesAreThereAndTakesNoMore) {
  start({.frames = 3});
  offer(5);
  puppet.load()->go.release();
  engine.wait();
  EXPECT_EQ(engine.stage(), LearningStage::kReady);
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(written, "m.uad");
  EXPECT_EQ(puppet.load()->count, 3U);
  EXPECT_EQ(engine.counts().offered, 5U);
}

TEST_F(LearningEngineTest, TakesEveryNth) {
  start({.every = 4});
  offer(9);
  EXPECT_EQ(engine.counts().kept, 3U) << "frames 0, 4 and 8";
}

TEST_F(LearningEngineTest, TheStreamDoesNotWaitForTheFit) {
  start({.frames = 2});
  offer(2);
  puppet.load()->fits.acquire();
  offer(1000);  // would hang if one waited
  EXPECT_EQ(engine.stage(), LearningStage::kFitting);
  puppet.load()->go.release();
  engine.wait();
}

TEST_F(LearningEngineTest, EndsEarlyWithTheModelOfWhatWasSeen) {
  start({});
  offer(2);
  engine.finish_early();  // a collection ends, its fit is a whole one
  puppet.load()->fits.acquire();
  EXPECT_EQ(engine.stage(), LearningStage::kFitting);
  engine.finish_early();
  engine.wait();
  EXPECT_EQ(engine.stage(), LearningStage::kReady);
  EXPECT_EQ(written, "early");
  engine.finish_early();  // too late: the model stays
  EXPECT_EQ(engine.stage(), LearningStage::kReady);
  engine.finish_collecting();  // the next fit is a whole one again
  puppet.load()->fits.acquire();
  puppet.load()->go.release();
  engine.wait();
  EXPECT_EQ(written, "m.uad");
}

TEST_F(LearningEngineTest, CollectsMoreAfterAModelAndLearnsFromAll) {
  start({.frames = 3});
  engine.collect_more();  // there is something to do: nothing happens
  offer(4);
  puppet.load()->go.release();
  engine.wait();
  offer(2);
  EXPECT_EQ(engine.counts().kept, 3U) << "not asked for";
  engine.collect_more();
  offer(2);
  EXPECT_EQ(engine.stage(), LearningStage::kCollecting);
  offer(2);
  puppet.load()->go.release();
  engine.wait();
  EXPECT_EQ(ready, 2);
  EXPECT_EQ(puppet.load()->count, 6U);
}

TEST_F(LearningEngineTest, CancelledKeepsTheFramesForAnotherFit) {
  start({.frames = 2});
  offer(2);
  puppet.load()->fits.acquire();
  engine.cancel();
  engine.wait();
  EXPECT_EQ(engine.stage(), LearningStage::kCancelled);
  EXPECT_EQ(failed, 0);
  engine.finish_collecting();
  puppet.load()->go.release();
  puppet.load()->fits.acquire();
  while (engine.stage() != LearningStage::kReady) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(puppet.load()->count, 2U);
}

TEST_F(LearningEngineTest, AFullBudgetBeginsTheFitAndSaysSo) {
  room = 4;
  start({.frames = 50});
  offer(8);
  puppet.load()->go.release();
  engine.wait();
  EXPECT_EQ(full, 4U);
  EXPECT_EQ(ready, 1);
}

TEST_F(LearningEngineTest, AFailedFitIsToldBeforeTheWaitEnds) {
  fails = true;
  start({.frames = 2});
  offer(2);
  puppet.load()->go.release();
  engine.wait();
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(engine.stage(), LearningStage::kFailed);
}

TEST_F(LearningEngineTest, OneFrameIsTooFew) {
  start({});
  offer(1);
  engine.finish_collecting();
  engine.wait();
  EXPECT_EQ(failed, 1);
}

TEST_F(LearningEngineTest, InterruptWakesWhoWaitsForTheModel) {
  start({.frames = 2});
  offer(2);
  auto waiting = std::async(std::launch::async, [this] { engine.wait(); });
  EXPECT_EQ(waiting.wait_for(20ms), std::future_status::timeout);
  engine.interrupt();
  waiting.get();
  EXPECT_EQ(engine.stage(), LearningStage::kFitting);
}

TEST_F(LearningEngineTest, StopEndsAFitInProgressWithoutAWord) {
  start({.frames = 2});
  offer(2);
  puppet.load()->fits.acquire();
  engine.stop();
  EXPECT_EQ(ready + failed, 0);
  EXPECT_EQ(engine.stage(), LearningStage::kIdle);
  EXPECT_EQ(engine.counts().kept, 0U);
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/load_slot.h"

#include <chrono>
#include <future>
#include <semaphore>
#include <string>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using Slot = uad::LoadSlot<int>;
using namespace std::chrono_literals;

Slot::Job gives(int value) {
  return [value](const std::stop_token&) { return std::make_shared<const int>(value); };
}

/// A job that rests until it is cancelled or released.
struct Held {
  std::promise<void> started;
  std::counting_semaphore<8> release{0};
  std::atomic<bool> cancelled{false};
  Slot::Job job(int value) {
    return [this, value](const std::stop_token& stop) {
      started.set_value();
      const std::stop_callback wake(stop, [this] {
        cancelled = true;
        release.release();
      });
      release.acquire();
      return std::make_shared<const int>(value);
    };
  }
};

TEST(LoadSlot, WaitGivesWhatWasLoaded) {
  Slot slot({});
  EXPECT_EQ(slot.get(), nullptr);
  slot.load(gives(7));
  ASSERT_NE(slot.wait(), nullptr);
  EXPECT_EQ(*slot.get(), 7);
}

TEST(LoadSlot, WaitWithNothingAskedForReturnsAtOnce) {
  const Slot slot({});
  EXPECT_EQ(slot.wait(), nullptr);
}

TEST(LoadSlot, OldStaysInServiceWhileTheNextIsLoading) {
  Held held;
  Slot slot({});
  slot.load(gives(1));
  ASSERT_NE(slot.wait(), nullptr);
  slot.load(held.job(2));
  held.started.get_future().wait();
  EXPECT_EQ(*slot.wait(), 1);
  held.release.release();
}

TEST(LoadSlot, FailureKeepsTheOldAndIsTold) {
  std::promise<bool> told;
  Slot slot({nullptr, [&](const std::exception_ptr&, bool old_in_service) {
               told.set_value(old_in_service);
             }});
  slot.load(gives(1));
  ASSERT_NE(slot.wait(), nullptr);
  slot.load([](const std::stop_token&) -> Slot::Ptr {
    throw uad::Error(uad::ErrorCode::kBadFile, "torn");
  });
  EXPECT_TRUE(told.get_future().get());
  EXPECT_EQ(*slot.get(), 1);
  EXPECT_FALSE(slot.gave_up());
}

TEST(LoadSlot, FailureOfTheFirstLoadEndsTheWait) {
  Slot slot({});
  slot.load([](const std::stop_token&) -> Slot::Ptr { throw std::runtime_error("no"); });
  EXPECT_EQ(slot.wait(), nullptr);
  EXPECT_TRUE(slot.gave_up());
}

TEST(LoadSlot, FailureIsToldBeforeTheWaitEnds) {
  std::atomic<bool> told{false};
  Slot slot({{}, [&](const std::exception_ptr&, bool) {
               EXPECT_FALSE(slot.gave_up());       // nor may one who does not wait know it sooner
               std::this_thread::sleep_for(50ms);  // the waiter would be faster
               told = true;
             }});
  slot.load([](const std::stop_token&) -> Slot::Ptr { throw std::runtime_error("no"); });
  EXPECT_EQ(slot.wait(), nullptr);
  EXPECT_TRUE(told);
  EXPECT_TRUE(slot.gave_up());
}

TEST(LoadSlot, NewestWishWinsAndCancelsTheOneBefore) {
  Held held;
  Slot slot({});
  slot.load(held.job(1));
  held.started.get_future().wait();
  slot.load(gives(2));
  ASSERT_NE(slot.wait(), nullptr);
  EXPECT_EQ(*slot.get(), 2);
  EXPECT_TRUE(held.cancelled);
}

TEST(LoadSlot, PutAfterRefusesWhereAnotherCameInBetween) {
  Slot slot({});
  slot.keep_previous(true);
  slot.put(std::make_shared<const int>(1));
  const Slot::Ptr first = slot.get();
  EXPECT_TRUE(slot.put_after(first, std::make_shared<const int>(2)));
  EXPECT_FALSE(slot.put_after(first, std::make_shared<const int>(3))) << "2 is in service";
  EXPECT_EQ(*slot.get(), 2);
  EXPECT_EQ(slot.undo(), first) << "and 1 was kept";
  Held held;
  slot.load(held.job(4));
  held.started.get_future().wait();
  EXPECT_FALSE(slot.put_after(first, std::make_shared<const int>(5))) << "4 is on its way";
  held.release.release();
  EXPECT_EQ(*slot.settled({}), 4);
}

TEST(LoadSlot, SettledWaitsForTheLoadUnlessItIsStopped) {
  Held held;
  Slot slot({});
  slot.put(std::make_shared<const int>(1));
  slot.load(held.job(2));
  held.started.get_future().wait();
  std::stop_source stop;
  auto waits = std::async(std::launch::async, [&] { return slot.settled(stop.get_token()); });
  EXPECT_EQ(waits.wait_for(20ms), std::future_status::timeout);
  stop.request_stop();
  EXPECT_EQ(*waits.get(), 1);
  held.release.release();
}

TEST(LoadSlot, InterruptWakesTheWaitUntilResumed) {
  Held held;
  Slot slot({});
  slot.load(held.job(5));
  auto waiting = std::async(std::launch::async, [&] { return slot.wait(); });
  EXPECT_EQ(waiting.wait_for(20ms), std::future_status::timeout);
  slot.interrupt();
  EXPECT_EQ(waiting.get(), nullptr);
  slot.resume();
  held.release.release();
  ASSERT_NE(slot.wait(), nullptr);
}

TEST(LoadSlot, UndoGoesBackOnceToTheVeryObject) {
  Slot slot({});
  slot.keep_previous(true);
  EXPECT_EQ(slot.undo(), nullptr);
  slot.put(std::make_shared<const int>(1));
  const Slot::Ptr first = slot.get();
  EXPECT_EQ(slot.undo(), nullptr) << "nothing was replaced yet";
  slot.put(std::make_shared<const int>(2));
  slot.put(std::make_shared<const int>(3));
  EXPECT_EQ(*slot.undo(), 2);
  EXPECT_EQ(*slot.get(), 2);
  EXPECT_EQ(slot.undo(), nullptr) << "one step, no more";
  EXPECT_EQ(first.use_count(), 1) << "what cannot come back is let go of";
}

TEST(LoadSlot, PreviousIsKeptOnlyIfAskedFor) {
  Slot slot({});
  slot.put(std::make_shared<const int>(1));
  slot.put(std::make_shared<const int>(2));
  EXPECT_EQ(slot.undo(), nullptr);
  slot.keep_previous(true);
  slot.put(std::make_shared<const int>(3));
  slot.keep_previous(false);
  EXPECT_EQ(slot.undo(), nullptr);
  EXPECT_EQ(*slot.get(), 3);
}

TEST(LoadSlot, PutCancelsTheLoadInProgress) {
  Held held;
  Slot slot({});
  slot.load(held.job(1));
  held.started.get_future().wait();
  slot.put(std::make_shared<const int>(2));
  EXPECT_EQ(*slot.take(), 2);
  EXPECT_EQ(slot.wait(), nullptr) << "the load has ended, and nothing came of it";
  EXPECT_TRUE(held.cancelled);
}

TEST(LoadSlot, TakeLeavesNothingInServiceAndNothingToWaitFor) {
  Slot slot({});
  EXPECT_EQ(slot.take(), nullptr);
  slot.put(std::make_shared<const int>(1));
  EXPECT_EQ(*slot.take(), 1);
  EXPECT_EQ(slot.wait(), nullptr);
}

TEST(LoadSlot, ReasonOfTheLoadComesWithTheEvent) {
  std::promise<std::string> told;
  Slot slot({[&](const Slot::Ptr&, const std::string& why) { told.set_value(why); }, nullptr});
  slot.load(gives(1), "watch");
  EXPECT_EQ(told.get_future().get(), "watch");
}

TEST(LoadSlot, StopCancelsForgetsAndMayBeFollowedByAnotherLoad) {
  Held held;
  Slot slot({});
  slot.load(held.job(5));
  held.started.get_future().wait();
  slot.stop();
  EXPECT_TRUE(held.cancelled);
  EXPECT_EQ(slot.get(), nullptr);
  slot.load(gives(6));
  ASSERT_NE(slot.wait(), nullptr);
  EXPECT_EQ(*slot.get(), 6);
}

}  // namespace

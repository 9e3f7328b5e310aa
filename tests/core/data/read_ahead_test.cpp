// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/read_ahead.h"

#include <atomic>
#include <chrono>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace {

using std::chrono::milliseconds;
using uad::ReadAhead;
using uad::testing::eventually;

TEST(ReadAhead, GivesTheOrderOfTheListWhateverIsFinishedFirst) {
  ReadAhead<int> ahead(
      40,
      [](std::size_t i) {
        std::this_thread::sleep_for(milliseconds(i % 3 == 0 ? 3 : 0));
        return static_cast<int>(i);
      },
      4, 8);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(ahead.position(), static_cast<std::size_t>(i));
    EXPECT_EQ(ahead.next(), i);
  }
  EXPECT_EQ(ahead.next(), std::nullopt);
  EXPECT_EQ(ahead.next(), std::nullopt);
}

TEST(ReadAhead, WorksAheadAsFarAsItMayAndNoFurther) {
  std::atomic<int> made = 0;
  ReadAhead<int> ahead(
      100, [&](std::size_t) { return ++made; }, 2, 5);
  ASSERT_TRUE(eventually([&] { return made == 5; }));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(made, 5);
  (void)ahead.next();
  ASSERT_TRUE(eventually([&] { return made == 6; }));
}

TEST(ReadAhead, ThrowsAtTheItemThatFailedAndGoesOn) {
  ReadAhead<int> ahead(
      3,
      [](std::size_t i) {
        if (i == 1) throw std::runtime_error("broken");
        return static_cast<int>(i);
      },
      2, 4);
  EXPECT_EQ(ahead.next(), 0);
  EXPECT_THROW((void)ahead.next(), std::runtime_error);
  EXPECT_EQ(ahead.next(), 2);
  EXPECT_EQ(ahead.next(), std::nullopt);
}

TEST(ReadAhead, BeginsNothingMoreOnceItIsDestroyed) {
  std::atomic<int> made = 0;
  const auto start = std::chrono::steady_clock::now();
  {
    const ReadAhead<int> ahead(
        1000,
        [&](std::size_t) {
          std::this_thread::sleep_for(milliseconds(10));
          return ++made;
        },
        2, 1000);
    ASSERT_TRUE(eventually([&] { return made > 0; }));
  }
  EXPECT_LT(made, 50);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
}

TEST(ReadAhead, NothingToDoIsTheEndAtOnce) {
  ReadAhead<int> ahead(
      0, [](std::size_t) { return 0; }, 2, 2);
  EXPECT_EQ(ahead.next(), std::nullopt);
}

}  // namespace

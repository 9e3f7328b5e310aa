// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/parallel.h"

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/exec/thread_pool.h"

namespace {

TEST(ParallelFor, RunsOnAsManyThreadsAsThePoolHas) {
  const int threads = uad::use_threads(2);
  std::mutex mutex;  // guards `seen`
  std::set<std::thread::id> seen;
  uad::parallel_for(0, threads, 1, [&](std::int64_t, std::int64_t) {
    const std::scoped_lock lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(static_cast<int>(seen.size()), threads);
}

TEST(ParallelFor, VisitsEveryPlaceOnce) {
  uad::use_threads(2);
  std::vector<std::atomic<int>> visits(1000);
  uad::parallel_for(10, 1000, 7, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) ++visits[static_cast<std::size_t>(begin)];
  });
  for (std::size_t i = 0; i < visits.size(); ++i) EXPECT_EQ(visits[i], i < 10 ? 0 : 1) << i;
}

TEST(ParallelFor, ThrowsWhatAWorkerThrew) {
  uad::use_threads(2);
  EXPECT_THROW(uad::parallel_for(0, 2, 1,
                                 [](std::int64_t begin, std::int64_t) {
                                   if (begin == 1) throw std::runtime_error("second half");
                                 }),
               std::runtime_error);
}

}  // namespace

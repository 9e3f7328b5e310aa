// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/thread_pool.h"

#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

// One test, since the pool is the process's and only grows.
TEST(ThreadPool, LargestWishWinsOnEveryThread) {
  EXPECT_EQ(uad::use_threads(3), 3);
  EXPECT_EQ(uad::use_threads(1), 3);
  int elsewhere = 0;
  bool inference = false;
  std::jthread([&] {
    const uad::ComputeScope scope;
    elsewhere = at::get_num_threads();
    inference = c10::InferenceMode::is_enabled();
  }).join();
  EXPECT_EQ(elsewhere, 3);
  EXPECT_TRUE(inference);
  EXPECT_FALSE(c10::InferenceMode::is_enabled());
  EXPECT_THROW(uad::use_threads(-1), uad::Error);
}

}  // namespace

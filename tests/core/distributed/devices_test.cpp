// SPDX-License-Identifier: LGPL-2.1-or-later
#include <array>
#include <mutex>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/distributed/exchange.h"
#include "core/distributed/processes.h"
#include "tests/support/thread_processes.h"

namespace uad {
namespace {

using test::run_together;

/// What was logged while two processes with these devices joined them.
std::vector<std::string> lines_of(const std::array<std::string, 2>& devices) {
  std::vector<std::string> lines;
  std::mutex mutex;  // guards `lines`
  set_log_sink([&](LogLevel, const std::string& line) {
    const std::scoped_lock lock(mutex);
    lines.push_back(line);
  });
  run_together(2, [&](int rank) {
    join_devices(*processes(), devices.at(static_cast<std::size_t>(rank)));
    EXPECT_EQ(processes()->device_sums(), nullptr);
  });
  set_log_sink({});
  return lines;
}

TEST(Devices, ProcessesOnTheCpuHaveNothingToJoin) { EXPECT_TRUE(lines_of({"cpu", "cpu"}).empty()); }

TEST(Devices, OneGpuForTwoProcessesIsTold) {
  const std::vector<std::string> lines = lines_of({"cpu", "cuda:0"});
  ASSERT_EQ(lines.size(), 2);
  EXPECT_NE(lines.front().find("not every process computes on one"), std::string::npos);
}

TEST(Devices, GpusThatAreNotThereAreTold) {
  const std::vector<std::string> lines = lines_of({"cuda:98", "cuda:99"});
  ASSERT_EQ(lines.size(), 2);
  EXPECT_NE(lines.front().find("main memory, slowly: "), std::string::npos);
}

TEST(Devices, TwoGpusAddUpWithoutMainMemory) {
  if (!at::hasCUDA() || at::getNumGPUs() < 2) GTEST_SKIP() << "needs two GPUs";
  run_together(2, [&](int rank) {
    const std::string device = "cuda:" + std::to_string(rank);
    join_devices(*processes(), device);
    ASSERT_NE(processes()->device_sums(), nullptr);
    const at::Tensor own = at::arange(1000, at::device(c10::Device(device))) * (rank + 1);
    EXPECT_TRUE(sum_of_processes(own, *processes()).cpu().equal(at::arange(1000) * 3));
  });
}

}  // namespace
}  // namespace uad

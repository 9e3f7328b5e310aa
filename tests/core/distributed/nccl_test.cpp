// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads with "GPUs" in main memory: NCCL and CUDA are replaced here, so that what is asked of
// them and what becomes of their answers can be tested without two GPUs.
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <nccl.h>

#include "core/distributed/nccl/join.h"
#include "tests/support/thread_processes.h"

using uad::DeviceSums;
using uad::Error;
using uad::ProcessesLost;
using uad::test::Meeting;
using uad::test::ThreadProcess;

extern "C" DeviceSums* uad_join_nccl(uad::Communicator& processes, int device);

namespace {

constexpr int kNoDevice = 7;

// What the processes' communicators share, and what was asked of them.
struct Machine {
  std::mutex mutex;  // guards the rest but the atomics
  int waiting = 0;   // in the current sum
  std::vector<double> sums;
  std::vector<std::function<void(const std::vector<double>&)>> takers;
  std::atomic<int> begun = 0;    // communicators
  std::atomic<int> aborted = 0;  // of them
  std::atomic<ncclResult_t> state = ncclSuccess;
} machine;

thread_local int device = -1;
thread_local bool sum_is_there = true;

void begin_test() {
  machine.waiting = 0;
  machine.sums.clear();
  machine.takers.clear();
  machine.begun = 0;
  machine.aborted = 0;
  machine.state = ncclSuccess;
}

}  // namespace

struct ncclComm {
  int size = 0;
};

namespace {

template <class Value>
void add(ncclComm_t comm, Value* values, std::size_t count, bool* done) {
  const std::scoped_lock lock(machine.mutex);
  machine.sums.resize(count);
  for (std::size_t i = 0; i < count; ++i) machine.sums[i] += static_cast<double>(values[i]);
  machine.takers.emplace_back([=](const std::vector<double>& sums) {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Value>(sums[i]);
    *done = true;
  });
  if (++machine.waiting < comm->size) return;
  for (const auto& take : machine.takers) take(machine.sums);
  machine.waiting = 0;
  machine.sums.clear();
  machine.takers.clear();
}

}  // namespace

extern "C" {
cudaError_t cudaSetDevice(int wanted) {
  device = wanted;
  return wanted == kNoDevice ? cudaErrorInvalidDevice : cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) { return "invalid device"; }
cudaError_t cudaStreamQuery(cudaStream_t) {
  const std::scoped_lock lock(machine.mutex);
  return sum_is_there ? cudaSuccess : cudaErrorNotReady;
}
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::ranges::fill(id->internal, 'u');
  return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int,
                                    ncclConfig_t* config) {
  if (config->blocking != 0 || id.internal[0] != 'u') return ncclInvalidArgument;
  ++machine.begun;
  *comm = new ncclComm{size};
  return ncclInProgress;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* state) {
  *state = machine.state;
  return ncclSuccess;
}
ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  if (from != to || operation != ncclSum || stream != nullptr) return ncclInvalidArgument;
  sum_is_there = false;
  if (type == ncclFloat) {
    add(comm, static_cast<float*>(to), count, &sum_is_there);
  } else {
    add(comm, static_cast<double*>(to), count, &sum_is_there);
  }
  return ncclInProgress;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  ++machine.aborted;
  delete comm;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t) { return "remote process exited"; }
}

namespace {

/// Each of `size` processes joins with the GPU of its number and goes on.
void join_all(int size, const std::function<void(int rank, DeviceSums& sums)>& go_on) {
  begin_test();
  Meeting meeting(size);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadProcess process(meeting, rank);
      const std::unique_ptr<DeviceSums> sums(uad_join_nccl(process, rank));
      go_on(rank, *sums);
    });
  }
}

TEST(Nccl, SumsStandInPlaceOfWhatEachHad) {
  constexpr int kSize = 3;
  join_all(kSize, [](int rank, DeviceSums& sums) {
    for (int round = 1; round < 3; ++round) {
      std::array floats{1.0F * static_cast<float>(rank), 0.5F};
      sums.sum(std::span(floats));
      EXPECT_EQ(floats, (std::array{3.0F, 1.5F}));
      std::array<double, 1> doubles{0.25 * rank * round};
      sums.sum(std::span(doubles));
      EXPECT_EQ(doubles[0], 0.75 * round);
      EXPECT_EQ(device, rank);
    }
  });
  EXPECT_EQ(machine.aborted, kSize);  // none is left over
}

TEST(Nccl, APeerThatStaysAwayEndsTheWait) {
  join_all(2, [](int rank, DeviceSums& sums) {
    if (rank == 1) return;
    std::array values{1.0F};
    try {
      sums.sum(std::span(values));
      FAIL() << "nobody answered";
    } catch (const ProcessesLost& lost) {
      EXPECT_NE(std::string(lost.what()).find("1 s (--process-timeout)"), std::string::npos);
    }
    EXPECT_THROW(sums.sum(std::span(values)), ProcessesLost);  // and asks NCCL no more
    EXPECT_EQ(machine.waiting, 1);
  });
  EXPECT_EQ(machine.aborted, 2);
}

TEST(Nccl, ABrokenConnectionIsToldWithItsReason) {
  join_all(1, [](int, DeviceSums& sums) {
    machine.state = ncclRemoteError;
    std::array values{1.0F};
    try {
      sums.sum(std::span(values));
      FAIL() << "the connection broke";
    } catch (const ProcessesLost& lost) {
      EXPECT_NE(std::string(lost.what()).find("NCCL: remote process exited"), std::string::npos);
    }
    EXPECT_EQ(machine.aborted, 1);
  });
}

TEST(Nccl, WithoutAGpuInOneNoneBegins) {
  begin_test();
  Meeting meeting(2);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadProcess process(meeting, rank);
      try {
        const std::unique_ptr<DeviceSums> sums(uad_join_nccl(process, rank == 1 ? kNoDevice : 0));
        FAIL() << "one has no GPU";
      } catch (const Error& error) {
        const char* const reason =
            rank == 1 ? "CUDA: invalid device" : "another process has no GPU";
        EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(machine.begun, 0);
}

}  // namespace

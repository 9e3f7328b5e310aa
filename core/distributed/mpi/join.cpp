// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/mpi/join.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

/// MPI_Init cannot be given up, so where it hangs the process ends.
class StartGuard {
 public:
  explicit StartGuard(seconds timeout)
      : guard_([timeout](const std::stop_token& stop) {
          std::mutex lock;
          std::unique_lock held(lock);
          std::condition_variable_any ended;
          if (ended.wait_for(held, stop, timeout, [&] { return stop.stop_requested(); })) return;
          fmt::print(stderr, "uad: {}\n", ProcessesLost(timeout).what());
          std::_Exit(EXIT_FAILURE);
        }) {}

 private:
  std::jthread guard_;
};

class MpiProcesses final : public Communicator {
 public:
  explicit MpiProcesses(seconds timeout) : timeout_(timeout) {
    {
      const StartGuard guard(timeout);
      int provided = 0;
      MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    double one = 1;
    sum(std::span(&one, 1));  // whether each can be reached
  }
  ~MpiProcesses() override { MPI_Finalize(); }

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] seconds timeout() const noexcept override { return timeout_; }
  void sum(std::span<float> values) override { sum(values, MPI_FLOAT); }
  void sum(std::span<double> values) override { sum(values, MPI_DOUBLE); }

  void broadcast(std::span<std::byte> bytes) override {
    in_blocks(bytes, [](std::span<std::byte> block, MPI_Request& request) {
      return MPI_Ibcast(block.data(), static_cast<int>(block.size()), MPI_BYTE, 0, MPI_COMM_WORLD,
                        &request);
    });
  }

  void wait_for_all() override {
    MPI_Request request = MPI_REQUEST_NULL;
    wait(MPI_Ibarrier(MPI_COMM_WORLD, &request), request, std::nullopt);
  }

 private:
  template <class Value>
  void sum(std::span<Value> values, MPI_Datatype type) {
    in_blocks(values, [type](std::span<Value> block, MPI_Request& request) {
      return MPI_Iallreduce(MPI_IN_PLACE, block.data(), static_cast<int>(block.size()), type,
                            MPI_SUM, MPI_COMM_WORLD, &request);
    });
  }

  /// A megabyte at a time stays in the processor's cache, which makes 40 of them seven times faster
  /// than all at once; and MPI counts in int.
  template <class Value, class Begin>
  void in_blocks(std::span<Value> values, const Begin& begin) {
    constexpr std::size_t kMost = (std::size_t{1} << 20) / sizeof(Value);
    while (!values.empty()) {
      const std::span<Value> block = values.first(std::min(kMost, values.size()));
      MPI_Request request = MPI_REQUEST_NULL;
      const int begun = begin(block, request);
      wait(begun, request, Clock::now() + timeout_);
      values = values.subspan(block.size());
    }
  }

  /// Looks again and again, because MPI's own waiting has no end. A step takes milliseconds, so
  /// that a process which has waited longer leaves the processor to others.
  void wait(int result, MPI_Request& request, std::optional<Clock::time_point> end) const {
    const Clock::time_point begin = Clock::now();
    int done = 0;
    while (result == MPI_SUCCESS) {
      result = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done != 0) break;
      const Clock::time_point now = Clock::now();
      if (end && now > *end) throw ProcessesLost(timeout_);
      if (now - begin > std::chrono::milliseconds(20)) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      } else {
        std::this_thread::yield();
      }
    }
    if (result != MPI_SUCCESS) throw ProcessesLost(failure(result));
  }

  static std::string failure(int result) {
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(result, text, &length);
    return fmt::format(
        "The connection to the other processes broke ({}). See whether all of them "
        "run and whether the network between their machines is up.",
        std::string_view(text, static_cast<std::size_t>(length)));
  }

  seconds timeout_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace
}  // namespace uad

extern "C" __attribute__((visibility("default"))) uad::Communicator* uad_join_mpi(int timeout_s) {
  return new uad::MpiProcesses(std::chrono::seconds(timeout_s));
}

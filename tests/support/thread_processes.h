// SPDX-License-Identifier: LGPL-2.1-or-later
// The processes of a run as threads of a test: no MPI is needed, and a debugger sees them all.
#pragma once

#include <barrier>
#include <cstring>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "core/distributed/processes.h"

namespace uad::test {

/// What the threads share.
struct Meeting {
  explicit Meeting(int size) : barrier(size), values(static_cast<std::size_t>(size)) {}
  std::barrier<> barrier;
  std::vector<void*> values;  // of each thread
};

class ThreadProcess final : public Communicator {
 public:
  ThreadProcess(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override {
    return static_cast<int>(meeting_.values.size());
  }
  void sum(std::span<float> values) override { sum_all(values); }
  void sum(std::span<double> values) override { sum_all(values); }
  void broadcast(std::span<std::byte> bytes) override {
    show(bytes.data());
    if (rank_ > 0) std::memcpy(bytes.data(), meeting_.values.front(), bytes.size());
    wait_for_all();
  }
  void wait_for_all() override { meeting_.barrier.arrive_and_wait(); }
  [[nodiscard]] std::chrono::seconds timeout() const noexcept override {
    return std::chrono::seconds(1);
  }

 private:
  void show(void* values) {
    meeting_.values.at(static_cast<std::size_t>(rank_)) = values;
    wait_for_all();
  }
  template <class Value>
  void sum_all(std::span<Value> values) {
    show(values.data());
    std::vector<Value> sums(values.size());
    for (void* const one : meeting_.values) {
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<Value*>(one)[i];
    }
    wait_for_all();
    std::ranges::copy(sums, values.begin());
    wait_for_all();
  }

  Meeting& meeting_;
  int rank_;
};

/// Runs the same in so many threads that work together; alone where it is one.
/// @throws the first one's exception.
inline void run_together(int size, const std::function<void(int rank)>& run) {
  if (size == 1) return run(0);
  Meeting meeting(size);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadProcess process(meeting, rank);
        const ProcessesScope scope(&process);
        try {
          run(rank);
        } catch (...) {
          failures.at(static_cast<std::size_t>(rank)) = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace uad::test

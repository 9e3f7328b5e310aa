// SPDX-License-Identifier: LGPL-2.1-or-later
// Analyses the newest frame only, on a thread of its own, so that video never waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/results/analysis.h"

namespace uad {

/// One job runs, at most one waits. A job that arrives while another waits replaces it, and the
/// older one is counted as dropped. @note Thread-safe, except stop(), which belongs to the owner.
class LatestWorker {
 public:
  using Clock = std::chrono::steady_clock;
  using Job = std::function<AnalysisPtr()>;
  using Done = std::function<void(const AnalysisPtr&)>;  ///< on the worker's thread

  /// @param niceness  of its thread, 0…19; 10 leaves the cores to all other work.
  explicit LatestWorker(Done done, int niceness = 0);
  ~LatestWorker();
  LatestWorker(const LatestWorker&) = delete;
  LatestWorker& operator=(const LatestWorker&) = delete;

  /// Returns at once. @throws what an earlier job threw, once.
  void submit(Job job);
  /// The newest finished result, or null. @throws what a job threw, once.
  [[nodiscard]] AnalysisPtr latest();
  /// A job handed over now would start by `when`, judged by how long the last one took; before that
  /// is known, only if none is at work.
  [[nodiscard]] bool free_by(Clock::time_point when) const;
  /// Jobs that were replaced before they ran.
  [[nodiscard]] std::uint64_t dropped() const;
  /// Waits until every job is done and reported, at most `limit`; forget() wakes it.
  /// @throws what a job threw, once.
  void drain(Clock::duration limit);
  /// Drops the waiting job, the newest result and the one being worked on (after a flush).
  void forget();
  /// Returns when the job that runs has ended. Everything is forgotten; submit() starts anew.
  void stop();

 private:
  void run(const std::stop_token& stop);
  void rethrow_failure();

  Done done_;
  int niceness_;
  mutable std::mutex lock_;  // guards everything below, except thread_
  std::condition_variable_any changed_;
  Job waiting_;
  bool running_ = false;
  std::uint64_t epoch_ = 0;  // results of an older epoch are forgotten
  std::uint64_t running_epoch_ = 0;
  std::uint64_t dropped_ = 0;
  Clock::time_point started_{};
  std::optional<Clock::duration> last_duration_;
  AnalysisPtr latest_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace uad

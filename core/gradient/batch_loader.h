// SPDX-License-Identifier: LGPL-2.1-or-later
// Batches made ahead on threads of their own, so that training never waits for them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/distributed/communicator.h"
#include "core/gradient/augmentation.h"
#include "core/gradient/batch_order.h"
#include "core/gradient/learner.h"
#include "core/gradient/sample_store.h"

namespace uad {

/// Hands out the batches of steps `first` … `last - 1` in order, the same whatever the number of
/// threads. At most `ahead` batches wait; then the threads do. @note next() is for one thread.
class BatchLoader {
 public:
  struct Options {
    Augmentation augmentation;
    std::int64_t first = 0;
    std::int64_t last = 0;
    const Communicator* processes = nullptr;  ///< that share each batch, borrowed; null = none do
    int threads = 1;
    std::size_t ahead = 3;
  };
  /// @param store, order  borrowed; must not change meanwhile.
  BatchLoader(const SampleStore& store, const BatchOrder& order, const Options& options);
  /// Stops after the batches that are being made.
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Waits for the next batch. @throws what making it threw. Not after the last step.
  [[nodiscard]] Batch next();
  /// Calls of next() that had to wait, since the beginning.
  [[nodiscard]] std::int64_t waits() const noexcept { return waits_; }

 private:
  struct Made {
    Batch batch;
    std::exception_ptr failure;
  };
  void work(const std::stop_token& stop);
  [[nodiscard]] Batch make(std::int64_t step) const;

  const SampleStore& store_;
  const BatchOrder& order_;
  Options options_;
  std::mutex lock_;  // guards made_, begun_ and handed_out_
  std::condition_variable_any changed_;
  std::map<std::int64_t, Made> made_;  // by step
  std::int64_t begun_;                 // first step that no thread makes yet
  std::int64_t handed_out_;            // the step next() is at
  std::int64_t waits_ = 0;
  std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

}  // namespace uad

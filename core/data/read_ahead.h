// SPDX-License-Identifier: LGPL-2.1-or-later
// Work on a list that is done by worker threads a few items ahead of whoever takes the results.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace uad {

/// Results come in the order of the list, whatever finishes first, so nothing depends on the number
/// of threads. At most `depth` items are finished or under way and not yet taken: when that many
/// wait, the workers sleep. Destruction waits for the items under way and begins no other.
/// @note next() is for one thread; `make` is called from several at once.
template <class Result>
class ReadAhead {
 public:
  /// @param make   item of the index 0 … count-1.
  /// @param threads, depth  at least 1.
  ReadAhead(std::size_t count, std::function<Result(std::size_t)> make, std::size_t threads,
            std::size_t depth)
      : count_(count), make_(std::move(make)), slots_(std::max<std::size_t>(1, depth)) {
    for (std::size_t i = 0; i < std::min(std::max<std::size_t>(1, threads), count); ++i) {
      workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }
  ~ReadAhead() {
    for (std::jthread& worker : workers_) worker.request_stop();  // all, before the first is joined
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// How many results were asked for: the index of the item that next() gives.
  [[nodiscard]] std::size_t position() const noexcept { return taken_; }

  /// The next result; nothing at the end. @throws what `make` threw for this very item; the call
  /// after that goes on with the item after it.
  std::optional<Result> next() {
    if (taken_ == count_) return std::nullopt;
    std::unique_lock lock(lock_);
    Slot& slot = slots_[taken_ % slots_.size()];
    finished_.wait(lock, [&] { return slot.ready; });
    Slot done = std::exchange(slot, {});
    ++taken_;
    lock.unlock();
    room_.notify_one();
    if (done.failure) std::rethrow_exception(done.failure);
    return std::move(done.result);
  }

 private:
  struct Slot {
    bool ready = false;
    std::optional<Result> result;
    std::exception_ptr failure;
  };

  void work(const std::stop_token& stop) {
    std::unique_lock lock(lock_);
    while (room_.wait(lock, stop,
                      [&] { return begun_ == count_ || begun_ < taken_ + slots_.size(); })) {
      if (begun_ == count_ || stop.stop_requested()) return;
      const std::size_t index = begun_++;
      lock.unlock();
      Slot done{.ready = true};
      try {
        done.result.emplace(make_(index));
      } catch (...) {
        done.failure = std::current_exception();
      }
      lock.lock();
      slots_[index % slots_.size()] = std::move(done);
      finished_.notify_one();
    }
  }

  std::size_t count_;
  std::function<Result(std::size_t)> make_;
  std::mutex lock_;          // guards the four below
  std::vector<Slot> slots_;  // a ring: item i is in slot i % size
  std::size_t begun_ = 0;
  std::size_t taken_ = 0;  // written by next() alone
  std::condition_variable_any room_;
  std::condition_variable_any finished_;
  std::vector<std::jthread> workers_;  // last: they use everything above
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Calls a function again and again, off every other thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace uad {

/// Runs from construction to destruction, which waits for a call in progress.
class Ticker {
 public:
  /// @param tick  must not throw; the first call comes one period after construction.
  Ticker(std::chrono::milliseconds period, std::function<void()> tick)
      : thread_([period, tick = std::move(tick)](const std::stop_token& stop) {
          std::mutex lock;
          std::condition_variable_any wake;
          std::unique_lock guard(lock);
          while (!wake.wait_for(guard, stop, period, [&stop] { return stop.stop_requested(); })) {
            tick();
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace uad

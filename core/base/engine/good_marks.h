// SPDX-License-Identifier: LGPL-2.1-or-later
// "This one is good": judged frames are remembered for a while, and those that somebody marks are
// learnt on a thread of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/engine/analyser.h"

namespace uad {

/// A frame that did not pass, and what the network saw of it.
struct JudgedFrame {
  AnalysisPtr analysis;
  TileBatchPtr tiles;
};

/// @note Thread-safe, except stop(), which belongs to the owner.
class GoodMarks {
 public:
  /// Called on the thread of the marks, at low priority, with no lock held.
  struct Events {
    /// Learns one frame and puts the new model in service.
    std::function<void(const JudgedFrame&, std::stop_token)> learn;
    /// What learn() threw; not when it was stopped.
    std::function<void(const JudgedFrame&, std::exception_ptr)> refused;
  };

  explicit GoodMarks(Events events) : events_(std::move(events)) {}
  ~GoodMarks() { stop(); }
  GoodMarks(const GoodMarks&) = delete;
  GoodMarks& operator=(const GoodMarks&) = delete;

  /// Frames that are remembered, the newest; 0 = none.
  void remember_up_to(std::size_t frames);
  /// Remembers the frame unless it passed.
  void remember(const AnalysisPtr& analysis, const TileBatchPtr& tiles);
  /// Has the frame learnt after those marked before.
  /// @param pts  of the frame, ns; kNoTime = the newest that did not pass.
  /// @return false if no such frame is remembered. A frame can be marked once.
  bool mark(std::uint64_t pts);
  /// Forgets what is marked but not learnt yet, and ends the learning at work. Frames that are
  /// remembered stay.
  void drop();
  /// Frames that are remembered now.
  [[nodiscard]] std::size_t remembered() const;
  /// Ends the learning, forgets frames and marks.
  void stop();

 private:
  void run(const std::stop_token& stop);

  Events events_;
  mutable std::mutex lock_;  // guards everything below, except thread_
  std::condition_variable_any changed_;
  std::size_t most_ = 0;
  std::deque<JudgedFrame> frames_;
  std::deque<JudgedFrame> marked_;
  std::stop_source lesson_;
  std::jthread thread_;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/good_marks.h"

#include <algorithm>
#include <utility>

#include "core/base/engine/niceness.h"

namespace uad {

void GoodMarks::remember_up_to(std::size_t frames) {
  const std::lock_guard guard(lock_);
  most_ = frames;
  while (frames_.size() > most_) frames_.pop_front();
}

void GoodMarks::remember(const AnalysisPtr& analysis, const TileBatchPtr& tiles) {
  if (analysis->verdict == Verdict::kPass) return;
  const std::lock_guard guard(lock_);
  if (most_ == 0) return;
  frames_.push_back({analysis, tiles});
  if (frames_.size() > most_) frames_.pop_front();
}

bool GoodMarks::mark(std::uint64_t pts) {
  const std::lock_guard guard(lock_);
  const auto found = std::ranges::find_if(frames_.rbegin(), frames_.rend(), [&](const auto& frame) {
    return pts == kNoTime || frame.analysis->capture.pts == pts;
  });
  if (found == frames_.rend()) return false;
  marked_.push_back(std::move(*found));
  frames_.erase(std::next(found).base());
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  changed_.notify_all();
  return true;
}

void GoodMarks::drop() {
  const std::lock_guard guard(lock_);
  marked_.clear();
  lesson_.request_stop();
}

std::size_t GoodMarks::remembered() const {
  const std::lock_guard guard(lock_);
  return frames_.size();
}

void GoodMarks::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
    thread_ = {};
  }
  const std::lock_guard guard(lock_);
  frames_.clear();
  marked_.clear();
}

void GoodMarks::run(const std::stop_token& stop) {
  be_nice(kBackgroundNiceness);  // before any parallel region: its threads inherit it
  while (true) {
    JudgedFrame frame;
    std::stop_token lesson;
    {
      std::unique_lock guard(lock_);
      if (!changed_.wait(guard, stop, [this] { return !marked_.empty(); })) return;
      frame = std::move(marked_.front());
      marked_.pop_front();
      lesson_ = std::stop_source();
      lesson = lesson_.get_token();
    }
    const std::stop_callback pass_on(stop, [this] { drop(); });
    try {
      events_.learn(frame, lesson);
    } catch (...) {
      if (!lesson.stop_requested()) events_.refused(frame, std::current_exception());
    }
  }
}

}  // namespace uad

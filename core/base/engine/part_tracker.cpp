// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/part_tracker.h"

#include <iterator>
#include <utility>

namespace uad {
namespace {

/// A time from another by `passed` nanoseconds, on every clock that it is known on.
Capture later(Capture capture, std::uint64_t passed) {
  if (capture.running_time != kNoTime) capture.running_time += passed;
  capture.arrival += std::chrono::nanoseconds(passed);
  return capture;
}

}  // namespace

void PartTracker::set(const PartOptions& options) {
  const std::lock_guard guard(lock_);
  const bool other = options.boundary != options_.boundary;
  options_ = options;
  judge_.set(options.rule);
  if (other) clear();
}

bool PartTracker::wants_pixels() const {
  const std::lock_guard guard(lock_);
  return options_.boundary == PartBoundary::kMotion;
}

double PartTracker::look(const FrameView& frame) {
  double threshold = 0;
  {
    const std::lock_guard guard(lock_);
    threshold = options_.motion;
  }
  const Scene scene = sensor_.look(frame, threshold);
  const std::lock_guard guard(lock_);
  scene_ = scene;
  return sensor_.change();
}

std::uint64_t PartTracker::frame(const Capture& capture, bool awaited) {
  std::unique_lock guard(lock_);
  switch (options_.boundary) {
    case PartBoundary::kNone:
      return 0;
    case PartBoundary::kEvent:
      break;
    case PartBoundary::kMotion:
      if (scene_ == Scene::kNew) judge_.begin();
      if (scene_ == Scene::kMoving) judge_.end();
      break;
    case PartBoundary::kPeriod:
      follow_period(capture);
  }
  if (scene_ != Scene::kUnsettled) judge_.frame(capture, awaited);  // nothing blurred is judged
  const std::uint64_t begun = judge_.begun();
  hand_over(guard);
  return begun;
}

void PartTracker::follow_period(const Capture& capture) {
  if (!judge_.open() || !period_start_) {
    period_start_ = capture;
    return judge_.begin({}, period_start_);
  }
  if (period_start_->running_time == kNoTime && capture.running_time != kNoTime) {
    period_start_ = capture;  // the better clock, as soon as there is one
  }
  const auto period = static_cast<std::uint64_t>(std::chrono::nanoseconds(options_.period).count());
  const std::uint64_t passed = time_between(*period_start_, capture);
  if (passed < period) return;
  if (passed == kNoTime) {  // the time jumped back: the grid begins anew
    judge_.end();
    period_start_ = capture;
    return judge_.begin({}, period_start_);
  }
  const std::uint64_t periods = passed / period;
  judge_.end(later(*period_start_, period));
  period_start_ = later(*period_start_, periods * period);
  judge_.begin({}, period_start_, periods - 1);
}

void PartTracker::result(const AnalysisPtr& analysis) {
  std::unique_lock guard(lock_);
  judge_.result(analysis);
  hand_over(guard);
}

void PartTracker::begin(std::string id, const std::optional<Capture>& now) {
  std::unique_lock guard(lock_);
  if (options_.boundary != PartBoundary::kEvent) return;
  judge_.end(now);
  judge_.begin(std::move(id), now);
  hand_over(guard);
}

void PartTracker::end(const std::optional<Capture>& now) {
  std::unique_lock guard(lock_);
  if (options_.boundary != PartBoundary::kEvent) return;
  judge_.end(now);
  hand_over(guard);
}

void PartTracker::abandon(bool torn) {
  std::unique_lock guard(lock_);
  judge_.abandon(torn);
  sensor_.reset();
  scene_ = Scene::kMoving;
  hand_over(guard);
}

void PartTracker::reset() {
  const std::lock_guard guard(lock_);
  clear();
}

void PartTracker::clear() {
  judge_.reset();
  sensor_.reset();
  scene_ = Scene::kMoving;
  period_start_.reset();
  done_.clear();
}

/// One thread at a time hands over, so that the order is kept without holding the lock meanwhile.
void PartTracker::hand_over(std::unique_lock<std::mutex>& guard) {
  for (PartVerdict& verdict : judge_.take()) done_.push_back(std::move(verdict));
  if (handing_over_) return;
  handing_over_ = true;
  while (!done_.empty()) {
    const PartVerdict verdict = std::move(done_.front());
    done_.pop_front();
    guard.unlock();
    judged_(verdict);
    guard.lock();
  }
  handing_over_ = false;
}

}  // namespace uad

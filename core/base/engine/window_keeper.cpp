// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/window_keeper.h"

#include <algorithm>
#include <utility>

namespace uad {

void MeasuredTime::add(double ms) {
  constexpr double kRising = 0.5;
  constexpr double kFalling = 0.1;
  const double before = ms_;
  ms_ = before < 0 ? ms : before + (ms - before) * (ms > before ? kRising : kFalling);
}

std::optional<double> MeasuredTime::ms() const {
  const double ms = ms_;
  return ms < 0 ? std::nullopt : std::optional(ms);
}

WindowKeeper::WindowKeeper(ModelPtr model, Now now)
    : model_(std::move(model)),
      windowed_(dynamic_cast<const WindowedModel*>(model_.get())),
      now_(std::move(now)) {}

bool WindowKeeper::serves(const Model& model) {
  return dynamic_cast<const WindowedModel*>(&model) != nullptr;
}

/// Windows that can be looked at until the deadline, with what is left to do after them.
std::size_t WindowKeeper::room(const KeeperFrame& frame) const {
  const std::optional<double> each = window_.ms();
  if (!each || *each <= 0) return planner_.windows();
  const std::chrono::duration<double, std::milli> passed = now_() - frame.capture.arrival;
  const double left = static_cast<double>(frame.deadline.time.count()) - passed.count() -
                      merging_.ms().value_or(0) - judging_.ms().value_or(0);
  return static_cast<std::size_t>(
      std::clamp(left / *each, 0.0, static_cast<double>(planner_.windows())));
}

void WindowKeeper::begin_anew(Subject subject) {
  planner_ = WindowPlanner(subject.plan.origins.size());
  kept_ = {};
  captures_.assign(planner_.windows(), {});
  subject_ = std::move(subject);
}

Coverage WindowKeeper::coverage(const KeeperFrame& frame, std::size_t analysed) const {
  Coverage found{planner_.windows(), analysed, planner_.oldest(),
                 planner_.guaranteed(frame.deadline.within)};
  for (const Capture& capture : captures_) {
    found.oldest_ns = std::max(found.oldest_ns, time_between(capture, frame.capture));
  }
  return found;
}

KeptOutput WindowKeeper::analyse(const KeeperFrame& frame) {
  Subject subject{frame.tiles->plan(), frame.product, frame.scene};
  if (subject != subject_) begin_anew(std::move(subject));
  const Thresholds thresholds = apply(model_->manifest().thresholds, frame.overrides);
  const std::vector<std::size_t> chosen =
      planner_.choose({room(frame), thresholds.warn, frame.deadline.within});
  const std::string recognised = kept_.products.empty() ? "" : kept_.products.front();
  WindowsOutput found;
  try {
    found = windowed_->analyse_windows(*frame.tiles, chosen, frame.product, kept_);
  } catch (...) {
    subject_.reset();
    throw;
  }
  window_.add(found.look_ms / static_cast<double>(chosen.size()));
  merging_.add(found.frame.infer_ms - found.look_ms);
  planner_.looked_at(chosen, kept_.suspicions);
  for (const std::size_t window : chosen) captures_[window] = frame.capture;
  KeptOutput result{std::move(found.frame), coverage(frame, chosen.size())};
  if (!result.coverage.whole() && result.output.product != recognised) subject_.reset();
  return result;
}

}  // namespace uad

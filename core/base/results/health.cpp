// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/health.h"

#include <algorithm>

namespace uad {

void Health::begin(Clock::time_point now) {
  const std::lock_guard guard(lock_);
  expecting_ = true;
  last_frame_ = last_report_ = now;
  longest_gap_ = {};
  at_last_report_ = counts_;
}

void Health::end() {
  const std::lock_guard guard(lock_);
  expecting_ = false;
}

void Health::frame(Clock::time_point now, bool analysed, bool scored) {
  const std::lock_guard guard(lock_);
  if (expecting_) longest_gap_ = std::max(longest_gap_, now - last_frame_);
  last_frame_ = now;
  ++counts_.frames;
  if (!analysed) ++counts_.skipped;
  if (!scored) ++counts_.unscored;
}

void Health::analysed(double total_ms) {
  const std::lock_guard guard(lock_);
  ++counts_.analysed;
  counts_.last_ms = total_ms;
  counts_.mean_ms += (total_ms - counts_.mean_ms) / static_cast<double>(counts_.analysed);
}

std::optional<HealthReport> Health::report(Clock::time_point now, Clock::duration max_gap) {
  const std::lock_guard guard(lock_);
  if (now - last_report_ < std::chrono::seconds(1)) return std::nullopt;
  const auto gap = expecting_ ? std::max(longest_gap_, now - last_frame_) : longest_gap_;
  HealthReport report;
  report.frames = counts_.frames - at_last_report_.frames;
  report.unscored = counts_.unscored - at_last_report_.unscored;
  const auto skipped = static_cast<double>(counts_.skipped - at_last_report_.skipped);
  report.skipped_share = report.frames > 0 ? skipped / static_cast<double>(report.frames) : 0;
  report.longest_gap_ms = std::chrono::duration<double, std::milli>(gap).count();
  report.healthy = report.unscored == 0 && gap <= max_gap;
  last_report_ = now;
  longest_gap_ = {};
  at_last_report_ = counts_;
  const bool worth_telling = !report.healthy || !was_healthy_;
  was_healthy_ = report.healthy;
  return worth_telling ? std::optional(report) : std::nullopt;
}

StreamCounts Health::counts() const {
  const std::lock_guard guard(lock_);
  return counts_;
}

void Health::reset() {
  const std::lock_guard guard(lock_);
  expecting_ = false;
  was_healthy_ = true;
  longest_gap_ = {};
  counts_ = at_last_report_ = {};
}

}  // namespace uad

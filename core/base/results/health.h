// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts frames and results and says, at most once a second, when something is missing.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace uad {

/// Since the element started.
struct StreamCounts {
  std::uint64_t frames = 0;
  std::uint64_t analysed = 0;
  std::uint64_t skipped = 0;   ///< left without a result of their own
  std::uint64_t unscored = 0;  ///< left with verdict UNSCORED
  double last_ms = 0;          ///< arrival to result, the newest analysis
  double mean_ms = 0;          ///< the same, over all analyses
};

/// One second or more of the stream.
struct HealthReport {
  bool healthy = true;         ///< every frame had a verdict and no gap was too long
  std::uint64_t frames = 0;    ///< since the last report
  std::uint64_t unscored = 0;  ///< of these
  double skipped_share = 0;    ///< 0…1, of these
  double longest_gap_ms = 0;   ///< between two frames, the gap that lasts included
};

/// @note Thread-safe.
class Health {
 public:
  using Clock = std::chrono::steady_clock;

  /// A live stream begins, or runs again after a pause: from now on silence is a gap.
  void begin(Clock::time_point now);
  /// Nothing more is expected (pause, end of stream): silence is no gap.
  void end();
  void frame(Clock::time_point now, bool analysed, bool scored);
  void analysed(double total_ms);
  /// @param max_gap  a longer silence between frames is unhealthy.
  /// @return a report at most once a second: every second while something is missing, and once
  /// when all is well again.
  [[nodiscard]] std::optional<HealthReport> report(Clock::time_point now, Clock::duration max_gap);
  [[nodiscard]] StreamCounts counts() const;
  /// Back to a stream that has not begun.
  void reset();

 private:
  mutable std::mutex lock_;  // guards everything below
  bool expecting_ = false;
  bool was_healthy_ = true;
  Clock::time_point last_frame_{};
  Clock::time_point last_report_{};
  Clock::duration longest_gap_{};
  StreamCounts counts_;
  StreamCounts at_last_report_;
};

}  // namespace uad

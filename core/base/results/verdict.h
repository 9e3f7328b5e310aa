// SPDX-License-Identifier: LGPL-2.1-or-later
// From raw scores to a verdict: the two scales of a model, thresholds.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "core/base/results/regions.h"

namespace uad {

enum class Verdict { kUnscored, kPass, kWarn, kReject };

/// "UNSCORED", "PASS", "WARN", "REJECT".
std::string_view to_string(Verdict verdict);

/// Piecewise linear, fixed at calibration: lo → 0, thr → 0.5, hi → 1, clamped outside. Raw units;
/// lo < thr < hi.
struct ScoreScale {
  double lo = 0;
  double thr = 0.5;
  double hi = 1;
  bool operator==(const ScoreScale&) const = default;

  /// @return 0…1; 0.5 is the decision level. NaN stays NaN.
  [[nodiscard]] double normalise(double raw) const noexcept;
  /// Inverse of normalise on 0…1.
  [[nodiscard]] double raw(double normalised) const noexcept;
  /// The same lo, another decision level; hi moves along so that lo < thr < hi holds.
  [[nodiscard]] ScoreScale with_threshold(double threshold) const noexcept;
  /// mean and (population) standard deviation of good scores → max(0, mean − 3 sd), mean + 3 sd,
  /// mean + 9 sd (a floor on sd, 0.1 % of the mean, keeps the three apart). Source: specification,
  /// representation-based detectors, section 5.
  /// @throws Error(kBadOption) if `scores` is empty or holds a non-finite value.
  static ScoreScale from_good_scores(const std::vector<double>& scores);
};

/// What decides a verdict; from the model's manifest, then overridden by properties.
struct Thresholds {
  ScoreScale image;     ///< image.thr = reject threshold
  ScoreScale map;       ///< map.thr = region threshold
  double warn = 0;      ///< raw image score, ≤ image.thr
  double min_area = 0;  ///< frame pixels
  bool operator==(const Thresholds&) const = default;
};

/// Overrides in raw units; NaN = the model's.
struct ThresholdOverrides {
  double warn = std::numeric_limits<double>::quiet_NaN();
  double reject = std::numeric_limits<double>::quiet_NaN();
  double min_area = std::numeric_limits<double>::quiet_NaN();
  bool operator==(const ThresholdOverrides&) const = default;
};

/// An override of reject moves 0.5 with it, and moves warn down to it if warn was above and not
/// given itself.
/// @throws Error(kBadOption) if the resulting warn exceeds reject, or reject does not exceed the
/// scale's lo.
Thresholds apply(const Thresholds& model, const ThresholdOverrides& overrides);

/// PASS below warn, WARN from warn, REJECT from reject (≥). A non-finite score is UNSCORED.
Verdict judge(double raw_score, const Thresholds& thresholds) noexcept;

}  // namespace uad

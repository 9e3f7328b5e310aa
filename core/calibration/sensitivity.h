// SPDX-License-Identifier: LGPL-2.1-or-later
// Per-position sensitivity: a learned map of thresholds. Where good parts give high scores (an edge
// that moves, a shiny spot) the model is made less sensitive, elsewhere more.
//
// A map of thresholds and one threshold of a map of gains are the same: a pixel's score times its
// gain reaches the threshold where the score reaches threshold / gain.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/backend.h"
#include "core/base/option_spec.h"
#include "core/base/results/score_map.h"

namespace uad {

inline constexpr float kLeastGain = 0.25F;  ///< no place becomes blind
inline constexpr float kMostGain = 4.0F;    ///< and none rejects noise

/// Option `sensitivity` of a training.
[[nodiscard]] OptionSpec sensitivity_option();

/// Learns the gains from maps of good frames that were not fitted.
class SensitivityFit {
 public:
  /// @throws Error(kBadOption) if the map has another size than those before.
  void add(const ScoreMap& map);
  [[nodiscard]] std::int64_t frames() const noexcept { return frames_; }
  /// gain = median level / level, from kLeastGain to kMostGain; the level of a position is the mean
  /// + 3 sd of its scores, smoothed over 1/32 of the map's shorter side. Two frames at least.
  [[nodiscard]] ScoreMap finish() const;

 private:
  Size size_{};
  std::int64_t frames_ = 0;
  std::vector<double> sum_;
  std::vector<double> squares_;
};

/// Every map value times its gain; the score follows the map's maximum, so that it stays in raw
/// units and a method's own score keeps its weighting. Gains of another size are stretched. An
/// empty map of gains changes nothing.
void apply_sensitivity(const ScoreMap& gains, ModelOutput& output);

}  // namespace uad

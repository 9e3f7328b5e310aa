// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "PASS";
    case Verdict::kWarn:
      return "WARN";
    case Verdict::kReject:
      return "REJECT";
    case Verdict::kUnscored:
      break;
  }
  return "UNSCORED";
}

double ScoreScale::normalise(double raw) const noexcept {
  if (std::isnan(raw)) return raw;
  if (raw <= lo) return 0;
  if (raw >= hi) return 1;
  return raw < thr ? 0.5 * (raw - lo) / (thr - lo) : 0.5 + 0.5 * (raw - thr) / (hi - thr);
}

double ScoreScale::raw(double normalised) const noexcept {
  if (std::isnan(normalised)) return normalised;
  const double level = std::clamp(normalised, 0.0, 1.0);
  return level < 0.5 ? lo + 2 * level * (thr - lo) : thr + 2 * (level - 0.5) * (hi - thr);
}

ScoreScale ScoreScale::with_threshold(double threshold) const noexcept {
  // A threshold far above the old scale would swallow the distance in rounding.
  const double next = std::nextafter(threshold, std::numeric_limits<double>::infinity());
  return {lo, threshold, std::max(threshold + (hi - thr), next)};
}

ScoreScale ScoreScale::from_good_scores(const std::vector<double>& scores) {
  if (scores.empty()) {
    throw Error(ErrorCode::kBadOption,
                "A scale needs the score of at least one good image, but there is none: hold out "
                "more images.");
  }
  double sum = 0;
  for (const double score : scores) {
    if (!std::isfinite(score)) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("A scale needs finite scores, but one of {} good images scored {}.",
                              scores.size(), score));
    }
    sum += score;
  }
  const auto count = static_cast<double>(scores.size());
  const double mean = sum / count;
  double squares = 0;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  const double spread = std::sqrt(squares / count);
  const double sd = std::max({spread, 1e-3 * std::abs(mean), 1e-12});
  // Distances start at 0; a method whose scores are negative keeps its own lower end.
  const double lo = mean > 0 ? std::max(0.0, mean - 3 * sd) : mean - 3 * sd;
  return {lo, mean + 3 * sd, mean + 9 * sd};
}

Thresholds apply(const Thresholds& model, const ThresholdOverrides& overrides) {
  Thresholds result = model;
  if (!std::isnan(overrides.reject)) {
    if (!(overrides.reject > model.image.lo) || !std::isfinite(overrides.reject)) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Option \"reject-threshold\" must be above {} (the low end of the "
                              "model's scale), but is {}.",
                              model.image.lo, overrides.reject));
    }
    result.image = model.image.with_threshold(overrides.reject);
    result.warn = std::min(result.warn, overrides.reject);
  }
  if (!std::isnan(overrides.warn)) result.warn = overrides.warn;
  if (result.warn > result.image.thr) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"warn-threshold\" ({}) must not exceed the reject threshold "
                            "({}): lower it, or raise \"reject-threshold\".",
                            result.warn, result.image.thr));
  }
  if (!std::isnan(overrides.min_area)) result.min_area = overrides.min_area;
  return result;
}

Verdict judge(double raw_score, const Thresholds& thresholds) noexcept {
  if (!std::isfinite(raw_score)) return Verdict::kUnscored;
  if (raw_score >= thresholds.image.thr) return Verdict::kReject;
  return raw_score >= thresholds.warn ? Verdict::kWarn : Verdict::kPass;
}

}  // namespace uad

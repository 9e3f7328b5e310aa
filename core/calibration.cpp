// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

struct Spread {
  double mean, sd, lowest, highest;
};

Spread spread_of(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto [lowest, highest] = std::ranges::minmax(values);
  return {mean, std::sqrt(squares / count), lowest, highest};
}

nlohmann::json to_json(const Spread& spread) {
  return {
      {"mean", spread.mean}, {"sd", spread.sd}, {"min", spread.lowest}, {"max", spread.highest}};
}

/// lo < thr < hi even where the threshold is the smallest or largest value seen.
ScoreScale scale_around(double lowest, double threshold, double highest) {
  const double step = std::max({highest - lowest, std::abs(threshold), 1e-6}) * 0.01;
  return {std::min(lowest, threshold - step), threshold, std::max(highest, threshold + step)};
}

}  // namespace

Calibration calibrate_on_good(const std::vector<double>& scores,
                              const std::vector<double>& map_maxima, const std::string& split) {
  Calibration result;
  Thresholds& thresholds = result.thresholds;
  thresholds.image = ScoreScale::from_good_scores(scores);
  thresholds.map = ScoreScale::from_good_scores(map_maxima);
  const Spread spread = spread_of(scores);
  // Two thirds of the way from the mean: mean + 2 sd, also where from_good_scores put a floor on
  // sd.
  thresholds.warn = spread.mean + (thresholds.image.thr - spread.mean) * 2 / 3;
  result.origin.rule = fmt::format(
      "mean + 3 sd (reject) and mean + 2 sd (warn) of good images that were not fitted: {}", split);
  result.origin.images = static_cast<std::int64_t>(scores.size());
  result.origin.facts = {{"image_score", to_json(spread)},
                         {"map_maximum", to_json(spread_of(map_maxima))},
                         {"map_rule", "mean + 3 sd of the maximum of each map"}};
  return result;
}

Calibration calibrate_on_labelled(const Evaluation& labelled, const Calibration& good) {
  if (!std::isfinite(labelled.image_auroc)) {
    throw Error(ErrorCode::kBadOption,
                "Thresholds from a labelled set need good and defective images, but this set has "
                "only one of them. Add the other kind, or leave out --calibrate-on.");
  }
  std::vector<double> scores;
  std::vector<double> good_scores;
  for (const ScoredFrame& frame : labelled.frames) {
    scores.push_back(frame.score);
    if (!frame.defective) good_scores.push_back(frame.score);
  }
  const Spread spread = spread_of(scores);
  const double mean_good = spread_of(good_scores).mean;
  Calibration result = good;
  Thresholds& thresholds = result.thresholds;
  const double reject = labelled.image_f1.threshold;
  thresholds.image = scale_around(spread.lowest, reject, spread.highest);
  thresholds.warn = std::min(reject, (mean_good + reject) / 2);
  const bool pixels = std::isfinite(labelled.pixels.auroc);
  if (pixels) {
    thresholds.map =
        scale_around(labelled.map_low, labelled.pixels.f1.threshold, labelled.map_high);
  }
  result.origin.rule = "F1-optimal on a labelled set";
  result.origin.images = static_cast<std::int64_t>(scores.size());
  result.origin.facts = {
      {"image_score", to_json(spread)},
      {"f1", labelled.image_f1.f1},
      {"defective", static_cast<std::int64_t>(scores.size() - good_scores.size())},
      {"map_rule", pixels ? "F1-optimal over pixels" : good.origin.facts.value("map_rule", "")}};
  return result;
}

}  // namespace uad

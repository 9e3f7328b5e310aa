// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/calibration.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/calibration/tail_estimate.h"

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

constexpr double kWarnFactor = 10;   // warn at ten times the rate of reject …
constexpr double kMostWarned = 0.2;  // … or nobody would look

/// What takes its place among good scores, but another threshold between 0 and 1.
ScoreScale scale_with(const std::vector<double>& good_scores, double threshold) {
  const ScoreScale usual = ScoreScale::from_good_scores(good_scores);
  return scale_around(usual.lo, threshold, threshold + (usual.hi - usual.thr));
}

nlohmann::json to_json(const Promise& promise, const PromiseTarget& target) {
  return {{"target_rate", target.rate}, {"confidence", target.confidence},
          {"rate", promise.rate},       {"samples", promise.samples},
          {"needed", promise.needed},   {"order", promise.order}};
}

nlohmann::json estimate_json(const std::vector<float>& scores, double rate) {
  const auto estimate = estimate_tail(scores, rate);
  if (!estimate) return nullptr;
  return {{"threshold", estimate->threshold},
          {"shape", estimate->shape},
          {"tail", estimate->tail},
          {"rate", rate}};
}

std::vector<double> widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

/// The image scores of a labelled set, good and defective ones apart.
struct LabelledScores {
  std::vector<double> all, good, defective;
};

/// @throws Error(kBadOption) unless there are both.
LabelledScores scores_of(const Evaluation& labelled) {
  LabelledScores scores;
  for (const ScoredFrame& frame : labelled.frames) {
    scores.all.push_back(frame.score);
    (frame.defective ? scores.defective : scores.good).push_back(frame.score);
  }
  if (!scores.good.empty() && !scores.defective.empty()) return scores;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Thresholds from a labelled set need good and defective images, but this "
                          "set has {} good and {} defective ones. Add the other kind, or derive "
                          "the thresholds from good images alone.",
                          scores.good.size(), scores.defective.size()));
}

/// Facts may come from a file, so the rule may be of any type.
std::string map_rule_of(const Calibration& calibration) {
  const auto rule = calibration.origin.facts.find("map_rule");
  const bool told = rule != calibration.origin.facts.end() && rule->is_string();
  return told ? rule->get<std::string>() : std::string();
}

/// What all rules for labelled sets share.
Calibration calibrate_at(double reject, const Evaluation& labelled, const LabelledScores& scores,
                         const Calibration& good) {
  const Spread spread = spread_of(scores.all);
  Calibration result = good;
  Thresholds& thresholds = result.thresholds;
  thresholds.image = scale_around(spread.lowest, reject, spread.highest);
  thresholds.warn = std::min(reject, (spread_of(scores.good).mean + reject) / 2);
  const bool pixels = std::isfinite(labelled.pixels.auroc);
  if (pixels) {
    thresholds.map =
        scale_around(labelled.map_low, labelled.pixels.f1.threshold, labelled.map_high);
  }
  result.origin.images = static_cast<std::int64_t>(scores.all.size());
  result.origin.facts = {{"image_score", to_json(spread)},
                         {"defective", static_cast<std::int64_t>(scores.defective.size())},
                         {"map_rule", pixels ? "F1-optimal over pixels" : map_rule_of(good)}};
  return result;
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

Calibration calibration_of_probability(double map_threshold, const std::string& split) {
  Calibration result;
  Thresholds& thresholds = result.thresholds;
  thresholds.image = {.lo = 0, .thr = 0.5, .hi = 1};
  thresholds.map = {.lo = 0, .thr = map_threshold, .hi = 1};
  thresholds.warn = 0.25;
  result.origin.rule =
      "the score is the probability of a defect: reject from 0.5, warn from 0.25; nothing is "
      "derived from images";
  result.origin.facts = {{"held_out", split}};
  return result;
}

Calibration calibrate_by_promise(const GoodSamples& samples, const PromiseTarget& target) {
  const Promise reject = promise_threshold(samples.scores, target);
  // Ten times what is kept, not what was asked for: too few samples must not pull warn onto reject.
  const double kept = std::max(target.rate, reject.rate);
  const PromiseTarget warn_target{std::max(kept, std::min(kWarnFactor * kept, kMostWarned)),
                                  target.confidence};
  const Promise warn = promise_threshold(samples.scores, warn_target);
  const Promise region = promise_threshold(samples.map_maxima, target);
  const std::vector<double> scores = widened(samples.scores);
  const std::vector<double> maxima = widened(samples.map_maxima);
  const Spread spread = spread_of(scores);
  Calibration result;
  result.thresholds.image = scale_with(scores, reject.threshold);
  result.thresholds.map = scale_with(maxima, region.threshold);
  result.thresholds.warn = std::min(warn.threshold, reject.threshold);
  result.origin.rule =
      "promised false-reject rate, by order statistics of good images that were "
      "not fitted";
  result.origin.images = reject.samples;
  result.origin.facts = {
      {"promise", to_json(reject, target)},
      {"warn_promise", to_json(warn, warn_target)},
      {"estimate", estimate_json(samples.scores, target.rate)},
      {"naive", {{"maximum", spread.highest}, {"mean_plus_3_sd", spread.mean + 3 * spread.sd}}},
      {"part_of", to_string(samples.rule)},
      {"frames", samples.frames},
      {"image_score", to_json(spread)},
      {"map_maximum", to_json(spread_of(maxima))},
      {"map_rule", "the same promise for the maximum of each map"}};
  if (samples.left_out > 0) result.origin.facts["frames_of_an_incomplete_part"] = samples.left_out;
  return result;
}

Calibration calibrate_on_labelled(const Evaluation& labelled, const Calibration& good) {
  const LabelledScores scores = scores_of(labelled);
  Calibration result = calibrate_at(labelled.image_f1.threshold, labelled, scores, good);
  result.origin.rule = "F1-optimal on a labelled set";
  result.origin.facts["f1"] = labelled.image_f1.f1;
  return result;
}

Calibration calibrate_to_recall(const Evaluation& labelled, double recall,
                                const Calibration& good) {
  if (!(recall > 0 && recall <= 1)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"recall\" must be above 0 and at most 1, but is {}.", recall));
  }
  LabelledScores scores = scores_of(labelled);
  const auto defects = static_cast<double>(scores.defective.size());
  // 0.29 * 100 is a little more than 29 in binary, and must not ask for 30.
  const double wanted = std::clamp(std::ceil(recall * defects - 1e-9), 1.0, defects);
  std::ranges::sort(scores.defective, std::greater<>());
  const double reject = scores.defective[static_cast<std::size_t>(wanted) - 1];
  const auto reach = [reject](double score) { return score >= reject; };
  Calibration result = calibrate_at(reject, labelled, scores, good);
  result.origin.rule = fmt::format(
      "highest threshold that rejects at least {:.6g} % of the defects of a labelled set",
      100 * recall);
  result.origin.facts["recall"] =
      static_cast<double>(std::ranges::count_if(scores.defective, reach)) / defects;
  result.origin.facts["false_rejects"] = std::ranges::count_if(scores.good, reach);
  return result;
}

Calibration calibrate_to_range(const Evaluation& labelled, double share, const Calibration& good) {
  if (!(share > 0 && share < 1)) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"set_threshold\" must be above 0 and below 1, but is {}.", share));
  }
  const LabelledScores scores = scores_of(labelled);
  const auto [lowest, highest] = std::ranges::minmax(scores.all);
  if (!(lowest < highest)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("All {} images have the score {}, so there is no range to take a share "
                            "of. Give other images.",
                            scores.all.size(), lowest));
  }
  Calibration result = calibrate_at(lowest + share * (highest - lowest), labelled, scores, good);
  result.origin.rule = fmt::format(
      "{:.6g} of the way from the lowest to the highest score of a labelled set", share);
  return result;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/set_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>
#include <vector>

namespace uad {
namespace {

double share(std::int64_t part, std::int64_t other) {
  const std::int64_t all = part + other;
  return all == 0 ? std::numeric_limits<double>::quiet_NaN()
                  : static_cast<double>(part) / static_cast<double>(all);
}

double tpr(const Confusion& c) { return share(c.tp, c.fn); }
double tnr(const Confusion& c) { return share(c.tn, c.fp); }

std::vector<float> scaled(std::span<const float> scores, double lowest, double highest) {
  std::vector<float> result;
  for (const float score : scores) {
    const double value = highest > lowest ? (score - lowest) / (highest - lowest) : 0;
    result.push_back(static_cast<float>(value));
  }
  return result;
}

Confusion decided(std::span<const float> scores, std::span<const std::uint8_t> labels,
                  const std::function<bool(float)>& is_defect) {
  Confusion counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool defect = is_defect(scores[i]);
    ++(labels[i] != 0 ? (defect ? counts.tp : counts.fn) : (defect ? counts.fp : counts.tn));
  }
  return counts;
}

nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

nlohmann::json decisions(double threshold, const Confusion& c) {
  return {{"Threshold", threshold},           {"Acc", number(c.accuracy())},
          {"FAR", number(share(c.fp, c.tn))}, {"TNR", number(tnr(c))},
          {"PPV", number(share(c.tp, c.fp))}, {"TPR", number(tpr(c))},
          {"NPV", number(share(c.tn, c.fn))}, {"F1", number(c.f1())}};
}

}  // namespace

SetFigures set_figures(std::span<const float> scores, std::span<const std::uint8_t> labels,
                       double fixed) {
  SetFigures figures;
  figures.fixed = fixed;
  figures.auroc = auroc(scores, labels);
  if (scores.empty()) return figures;
  const auto [lowest, highest] = std::ranges::minmax(scores);
  figures.lowest = lowest;
  figures.highest = highest;
  figures.scaled = scaled(scores, lowest, highest);
  const std::vector<float>& values = figures.scaled;
  figures.at_fixed = decided(values, labels, [&](float value) { return value > fixed; });
  std::vector<float> thresholds = values;
  std::ranges::sort(thresholds, std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  double best = -2;
  std::tuple<double, double> best_m{-1, -1};
  for (const float threshold : thresholds) {  // falling, so that a tie keeps the higher one
    const Confusion counts =
        decided(values, labels, [&](float value) { return value >= threshold; });
    if (tpr(counts) + tnr(counts) > best) {
      best = tpr(counts) + tnr(counts);
      figures.youden = threshold;
      figures.at_youden = counts;
    }
    const std::tuple found{tpr(counts), tnr(counts)};
    if (tnr(counts) < 0.9 || found <= best_m) continue;
    best_m = found;
    figures.m_threshold = threshold;
    std::tie(figures.m_tpr, figures.m_tnr) = found;
  }
  return figures;
}

nlohmann::json to_json(const SetFigures& figures) {
  return {{"lowest", figures.lowest},
          {"highest", figures.highest},
          {"AUC", number(figures.auroc)},
          {"youden", decisions(figures.youden, figures.at_youden)},
          {"fixed", decisions(figures.fixed, figures.at_fixed)},
          {"M_Threshold", figures.m_threshold},
          {"M_TNR", figures.m_tnr},
          {"M_TPR", figures.m_tpr}};
}

}  // namespace uad

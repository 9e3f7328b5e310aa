// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/cost.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Weight times rate; a class that the line does not have costs nothing, even if the set lacks it.
double share(double weight, std::int64_t part, std::int64_t whole) {
  if (weight == 0) return 0;
  return weight * static_cast<double>(part) / static_cast<double>(whole);  // 0 / 0 = NaN
}

void demand(bool fits, const char* option, const char* what, double found) {
  if (fits) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" must be {}, found {}.", option, what, found));
}

/// The number of fewest digits near the middle of (above, up_to]; either may be infinite. Nobody
/// types 17 digits, and a threshold rounded upwards would let the part at its edge pass.
/// @return finite.
double handy_number(double above, double up_to) {
  constexpr double kMargin = 0.01;  // relative, where there is no middle
  const double middle = std::isinf(up_to)   ? above + kMargin * std::abs(above)
                        : std::isinf(above) ? up_to - kMargin * std::abs(up_to)
                                            : std::midpoint(above, up_to);
  for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    // Not std::stod(), which throws at a number below 2e-308.
    const double number = std::strtod(fmt::format("{:.{}g}", middle, digits).c_str(), nullptr);
    if (number > above && number <= up_to) return number;
  }
  return std::isinf(up_to) ? std::nextafter(above, kInfinity) : up_to;  // a margin of 0 is none
}

/// Costs that differ by rounding alone are equal.
bool clearly_less(double a, double b) { return a < b - 1e-12 * std::abs(b); }

}  // namespace

void check(const Costs& costs) {
  const auto cost = [](double value) { return value >= 0 && std::isfinite(value); };
  demand(cost(costs.false_reject), "cost-false-reject", "a number from 0", costs.false_reject);
  demand(cost(costs.false_accept), "cost-false-accept", "a number from 0", costs.false_accept);
  demand(costs.defect_rate >= 0 && costs.defect_rate <= 1, "defect-rate",
         "a share between 0 and 1, e.g. 0.01", costs.defect_rate);
}

double cost_per_1000(const Confusion& rates, const Costs& costs) {
  const double good = 1000 * (1 - costs.defect_rate) * costs.false_reject;
  const double defective = 1000 * costs.defect_rate * costs.false_accept;
  return share(good, rates.fp, rates.fp + rates.tn) +
         share(defective, rates.fn, rates.fn + rates.tp);
}

CheapestThreshold cheapest_threshold(std::span<const double> scores,
                                     std::span<const std::uint8_t> labels, const Costs& costs) {
  std::vector<std::pair<double, bool>> ranked;
  Confusion now;  // at a threshold above all scores: nothing is rejected
  for (std::size_t i = 0; i < scores.size(); ++i) {
    ranked.emplace_back(scores[i], labels[i] != 0);
    ++(labels[i] != 0 ? now.fn : now.tn);
  }
  std::ranges::sort(ranked, std::greater<>());
  const double top = ranked.empty() ? 0 : ranked.front().first;
  const double above_all = std::nextafter(top, kInfinity);
  CheapestThreshold best{.threshold = above_all,
                         .above = top,
                         .highest = above_all,
                         .candidates = 1,
                         .images = now,
                         .cost = cost_per_1000(now, costs)};
  for (auto it = ranked.begin(); it != ranked.end();) {
    const double score = it->first;
    for (; it != ranked.end() && it->first == score; ++it) {
      ++(it->second ? now.tp : now.fp);
      --(it->second ? now.fn : now.tn);
    }
    const double cost = cost_per_1000(now, costs);
    if (clearly_less(best.cost, cost)) continue;
    const bool tied = !clearly_less(cost, best.cost);
    best = {.threshold = score,
            .above = it == ranked.end() ? -kInfinity : it->first,
            .highest = tied ? best.highest : score,
            .candidates = tied ? best.candidates + 1 : 1,
            .images = now,
            .cost = cost};
  }
  best.handy = handy_number(best.above, best.threshold == above_all ? kInfinity : best.threshold);
  return best;
}

}  // namespace uad

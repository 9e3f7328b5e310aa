// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/tail_estimate.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace uad {
namespace {

constexpr std::size_t kFewestScores = 20;

/// Survival (1 - theta x)^(1/k), in the symbols of the paper: k = -shape, theta = k / scale.
struct Pareto {
  double theta, k;
};

double k_of(double theta, const std::vector<double>& excesses) {
  double sum = 0;
  for (const double excess : excesses) sum += std::log1p(-theta * excess);
  return -sum / static_cast<double>(excesses.size());
}

/// The mean of theta over a grid, weighted by the profile likelihood.
/// @param excesses  ascending, the first quartile above 0.
Pareto fit(const std::vector<double>& excesses) {
  const auto n = static_cast<double>(excesses.size());
  const double quartile = excesses[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  const int grid = 20 + static_cast<int>(std::sqrt(n));
  std::vector<double> thetas;
  std::vector<double> likelihoods;
  for (int i = 1; i <= grid; ++i) {
    const double theta = 1 / excesses.back() + (1 - std::sqrt(grid / (i - 0.5))) / (3 * quartile);
    const double k = k_of(theta, excesses);
    if (k == 0 || !std::isfinite(k)) continue;  // the exponential law: its neighbours stand for it
    thetas.push_back(theta);
    likelihoods.push_back(n * (std::log(theta / k) + k - 1));
  }
  const double highest = std::ranges::max(likelihoods);
  double sum = 0;
  double weights = 0;
  for (std::size_t i = 0; i < thetas.size(); ++i) {
    const double weight = std::exp(likelihoods[i] - highest);
    sum += weight * thetas[i];
    weights += weight;
  }
  const double theta = sum / weights;
  return {theta, k_of(theta, excesses)};
}

}  // namespace

std::optional<TailEstimate> estimate_tail(std::vector<float> scores, double rate) {
  const std::size_t count = scores.size();
  if (count < kFewestScores) return {};
  const std::size_t tail = std::min(std::max(kFewestScores, count / 10), count / 2);
  const double share = static_cast<double>(tail) / static_cast<double>(count);
  if (rate >= share) return {};
  std::ranges::sort(scores, std::greater<>());
  const double start = scores[tail];
  std::vector<double> excesses;
  for (std::size_t i = tail; i-- > 0;) excesses.push_back(scores[i] - start);
  if (!(excesses[tail / 4 - 1] > 0)) return {};
  const Pareto law = fit(excesses);
  if (law.theta == 0) return {};
  const double above = -std::expm1(law.k * std::log(rate / share)) / law.theta;
  return TailEstimate{start + above, -law.k, static_cast<std::int64_t>(tail)};
}

}  // namespace uad

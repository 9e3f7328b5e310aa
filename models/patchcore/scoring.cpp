// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/scoring.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad::models::patchcore {

namespace {

// The `count` smallest, ascending; the lower index first on ties.
std::vector<std::int64_t> smallest(const std::vector<float>& values, std::int64_t count) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto last = order.begin() + std::min<std::int64_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), last, order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::pair(values[a], a) < std::pair(values[b], b);
  });
  order.erase(last, order.end());
  return order;
}

// exp(of) / Σ exp(all), shifted so that large distances do not overflow.
double softmax_share(double of, std::span<const double> all) {
  const double shift = *std::max_element(all.begin(), all.end());
  double sum = 0;
  for (double value : all) sum += std::exp(value - shift);
  return std::exp(of - shift) / sum;
}

}  // namespace

Reweight parse_reweight(const std::string& text) {
  if (text == "paper") return Reweight::kPaper;
  if (text == "qi") return Reweight::kQi;
  if (text == "none") return Reweight::kNone;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option reweight is \"{}\", expected paper, qi or none.", text));
}

double image_score(const Bank& bank, const at::Tensor& query, float distance, std::int64_t nearest,
                   std::int64_t neighbours, Reweight reweight) {
  if (reweight == Reweight::kNone) return distance;
  const std::vector<float> to_query = bank.distances(query);
  // The paper looks at what lies around the nearest vector, QualityInspector around the query.
  const std::vector<float> around =
      reweight == Reweight::kPaper ? bank.distances(bank.vectors()[nearest]) : to_query;
  std::vector<double> exponents;
  for (std::int64_t i : smallest(around, neighbours)) exponents.push_back(to_query[i]);
  const double numerator = reweight == Reweight::kPaper ? distance : exponents.back();
  return (1 - softmax_share(numerator, exponents)) * distance;
}

}  // namespace uad::models::patchcore

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/scoring.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/results/score_map.h"

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

ScoreMap smooth(const at::Tensor& grid, std::int64_t height, std::int64_t width) {
  const at::Tensor packed = grid.to(at::kFloat).contiguous();
  const float* values = packed.const_data_ptr<float>();
  const ScoreMap map{static_cast<int>(packed.size(1)),
                     static_cast<int>(packed.size(0)),
                     {values, values + packed.numel()}};
  return gaussian_blur(upsample_bilinear(map, {static_cast<int>(width), static_cast<int>(height)}));
}

at::Tensor to_tensor(const ScoreMap& map) {
  return at::from_blob(const_cast<float*>(map.values.data()), {map.height, map.width}, at::kFloat)
      .clone();
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

at::Tensor anomaly_map(const at::Tensor& grid, const at::Tensor& kept_grid, const at::Tensor& keep,
                       std::int64_t height, std::int64_t width) {
  if (!kept_grid.defined()) return to_tensor(smooth(grid, height, width));
  // Smoothed values over smoothed weights: an ignored patch neither leaks out nor pulls down.
  const at::Tensor values = to_tensor(smooth(grid * kept_grid, height, width));
  const at::Tensor weights = to_tensor(smooth(kept_grid, height, width));
  return at::where(keep.to(at::kBool), values / weights.clamp_min(1e-6), 0.0F);
}

}  // namespace uad::models::patchcore

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/constrained_update.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace uad::models::iuf {

namespace {

constexpr double kNothing = 1e-6;  // of the largest singular value: no row has that direction

}  // namespace

// A complete decomposition of the square system keeps the basis orthonormal however few rows there
// are. In float64, because the smallest values are compared with the largest.
Directions Directions::with(const at::Tensor& rows) const {
  const c10::NoGradGuard no_gradients;
  const at::Tensor fresh = rows.detach().to(at::kCPU, at::kDouble);
  const at::Tensor all =
      empty() ? fresh
              : at::cat({values.to(at::kDouble).unsqueeze(1) * vectors.to(at::kDouble), fresh});
  const std::int64_t channels = all.size(1);
  const at::Tensor square =
      all.size(0) < channels
          ? at::cat({all, at::zeros({channels - all.size(0), channels}, all.options())})
          : all;
  const auto [u, s, v] = at::linalg_svd(square, /*full_matrices=*/false);
  return {s.to(at::kFloat), v.to(at::kFloat).contiguous()};
}

at::Tensor Directions::projector() const {
  const std::int64_t channels = values.size(0);
  const at::Tensor rank = at::arange(1, channels + 1, at::TensorOptions(at::kDouble));
  const at::Tensor weights = at::where(values > kNothing * values[0],
                                       rank.log() / std::log(static_cast<double>(channels)), 1.0);
  const at::Tensor v = vectors.to(at::kDouble);
  return at::mm(v.t() * weights, v).to(at::kFloat);
}

ConstrainedSgd::ConstrainedSgd(std::vector<at::Tensor> parameters, std::vector<double> rates,
                               std::vector<Layer> layers, std::vector<Pulled> pulled, double pull)
    : Optimiser(std::move(parameters)),
      rates_(std::move(rates)),
      layers_(std::move(layers)),
      pulled_(std::move(pulled)),
      pull_(pull) {}

void ConstrainedSgd::step(double learning_rate) {
  const c10::NoGradGuard no_gradients;
  for (const Pulled& one : pulled_) one.now.lerp_(one.before, pull_);
  for (const Layer& layer : layers_) {
    for (const std::size_t i : {layer.weight, layer.bias}) {
      at::Tensor& gradient = parameters_[i].mutable_grad();
      if (gradient.defined()) gradient = at::matmul(layer.projector, gradient);
    }
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    parameters_[i].sub_(gradient, learning_rate * (rates_.empty() ? 1 : rates_[i]));
  }
}

}  // namespace uad::models::iuf

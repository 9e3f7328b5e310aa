// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/optimiser.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/distributed/shared_batch.h"

namespace uad {
namespace {

std::vector<at::Tensor> zeros_like(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  for (const at::Tensor& tensor : tensors) zeros.push_back(at::zeros_like(tensor).detach());
  return zeros;
}

void add_numbered(TensorMap& state, const char* name, const std::vector<at::Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    state.emplace(fmt::format("optimiser.{}.{:03}", name, i), tensors[i]);
  }
}

/// What a fused update takes, of the parameters that have a gradient.
struct Active {
  explicit Active(const std::vector<at::Tensor>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].grad().defined()) continue;
      indices.push_back(i);
      parameters.push_back(all[i]);
      gradients.push_back(all[i].grad());
    }
  }
  [[nodiscard]] std::vector<at::Tensor> of(const std::vector<at::Tensor>& all) const {
    std::vector<at::Tensor> some;
    for (const std::size_t i : indices) {
      if (!all.empty()) some.push_back(all[i]);
    }
    return some;
  }
  std::vector<std::size_t> indices;
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
};

[[noreturn]] void diverged(const char* what, double value) {
  throw Error(ErrorCode::kFailed, fmt::format("the {} became {}", what, value));
}

double gradient_norm(const std::vector<at::Tensor>& gradients) {
  if (gradients.empty()) return 0;
  return at::stack(at::_foreach_norm(gradients)).norm().item<double>();
}

}  // namespace

void clear_gradients(const Optimiser& optimiser) {
  for (const at::Tensor& parameter : optimiser.parameters()) parameter.mutable_grad().reset();
}

void require_finite(const at::Tensor& loss) {
  std::map<std::string, double> value{{"loss", loss.item<double>()}};
  average_over_batch(value);
  if (!std::isfinite(value["loss"])) diverged("loss", value["loss"]);
}

double require_finite_gradients(const Optimiser& optimiser) {
  const c10::NoGradGuard no_gradients;
  const double norm = gradient_norm(Active(optimiser.parameters()).gradients);
  if (!std::isfinite(norm)) diverged("norm of the gradients", norm);
  return norm;
}

double descend(const at::Tensor& loss, Optimiser& optimiser, double learning_rate,
               double clip_norm) {
  require_finite(loss);
  clear_gradients(optimiser);
  weighted_by_share(loss).backward();
  sum_gradients_over_batch(optimiser.parameters());
  const double norm = require_finite_gradients(optimiser);
  if (clip_norm > 0 && norm > clip_norm) {
    const c10::NoGradGuard no_gradients;
    at::_foreach_mul_(Active(optimiser.parameters()).gradients, clip_norm / norm);
  }
  optimiser.step(learning_rate);
  return norm;
}

Sgd::Sgd(std::vector<at::Tensor> parameters, Options options)
    : Optimiser(std::move(parameters)), options_(options) {
  if (options_.momentum != 0) momentum_ = zeros_like(parameters_);
}

void Sgd::step(double learning_rate) {
  const c10::NoGradGuard no_gradients;
  const Active active(parameters_);
  if (active.parameters.empty()) return;
  at::_fused_sgd_(active.parameters, active.gradients, active.of(momentum_), options_.weight_decay,
                  options_.momentum, learning_rate, /*dampening=*/0, /*nesterov=*/false,
                  /*maximize=*/false, /*is_first_step=*/false);
}

TensorMap Sgd::state() {
  TensorMap state;
  add_numbered(state, "momentum", momentum_);
  return state;
}

Adam::Adam(std::vector<at::Tensor> parameters, Options options)
    : Optimiser(std::move(parameters)),
      options_(options),
      mean_(zeros_like(parameters_)),
      square_(zeros_like(parameters_)) {
  for (const at::Tensor& one : parameters_) {  // counted where they are, as the update asks for
    steps_.push_back(at::zeros({}, one.options().requires_grad(false)));
  }
}

void Adam::step(double learning_rate) {
  const c10::NoGradGuard no_gradients;
  const Active active(parameters_);
  if (active.parameters.empty()) return;
  const std::vector<at::Tensor> steps = active.of(steps_);
  for (const at::Tensor& count : steps) count.add_(1);
  const auto update = [&](const auto& fused) {
    fused(active.parameters, active.gradients, active.of(mean_), active.of(square_),
          std::vector<at::Tensor>(), steps, learning_rate, options_.beta1, options_.beta2,
          options_.weight_decay, options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  };
  if (options_.decoupled) {
    update([](const auto&... all) { at::_fused_adamw_(all...); });
  } else {
    update([](const auto&... all) { at::_fused_adam_(all...); });
  }
}

TensorMap Adam::state() {
  TensorMap state;
  add_numbered(state, "mean", mean_);
  add_numbered(state, "square", square_);
  add_numbered(state, "steps", steps_);
  return state;
}

}  // namespace uad

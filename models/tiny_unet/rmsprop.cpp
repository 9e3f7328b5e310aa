// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/rmsprop.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/simd.h"
#include "core/exec/parallel.h"

namespace uad::models::tiny_unet {

namespace {

constexpr std::int64_t kGrain = 1 << 15;  // below, a second thread costs more than it helps

struct Coefficients {
  float forget;  // 1 - decay
  float momentum;
  float epsilon;
  float weight_decay;
  float rate;
};

// Rounding can take ms - mg² below zero where a gradient hardly changes, hence the maximum.
UAD_SIMD void update(const float* __restrict gradient, float* __restrict parameter,
                     float* __restrict mean_square, float* __restrict mean, float* __restrict step,
                     std::int64_t count, const Coefficients& given) {
  const Coefficients c = given;  // stores through the pointers cannot change a copy
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] + c.weight_decay * parameter[i];
    mean_square[i] += c.forget * (g * g - mean_square[i]);
    mean[i] += c.forget * (g - mean[i]);
    const float variance = mean_square[i] - mean[i] * mean[i];
    const float deviation = std::sqrt((variance > 0 ? variance : 0) + c.epsilon);
    step[i] = c.momentum * step[i] + c.rate * g / deviation;
    parameter[i] -= step[i];
  }
}

}  // namespace

RmsProp::RmsProp(std::vector<at::Tensor> parameters, const Options& options)
    : Optimiser(std::move(parameters)), options_(options) {
  for (const at::Tensor& parameter : parameters_) {
    const at::Tensor plain = parameter.detach();  // what is like it records no gradients
    mean_square_.push_back(at::ones_like(plain));
    mean_.push_back(at::zeros_like(plain));
    step_.push_back(at::zeros_like(plain));
  }
}

void RmsProp::step(double learning_rate) {
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    if (parameters_[i].is_cpu()) {
      update_fused(i, learning_rate);
    } else {
      update_plain(i, learning_rate);
    }
  }
}

TensorMap RmsProp::state() {
  TensorMap state;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state.emplace(fmt::format("optimiser.mean_square.{:03}", i), mean_square_[i]);
    state.emplace(fmt::format("optimiser.mean.{:03}", i), mean_[i]);
    state.emplace(fmt::format("optimiser.step.{:03}", i), step_[i]);
  }
  return state;
}

void RmsProp::update_fused(std::size_t i, double learning_rate) {
  const Coefficients coefficients{
      static_cast<float>(1 - options_.decay), static_cast<float>(options_.momentum),
      static_cast<float>(options_.epsilon), static_cast<float>(options_.weight_decay),
      static_cast<float>(learning_rate)};
  const at::Tensor gradient = parameters_[i].grad().contiguous();
  const float* const g = gradient.const_data_ptr<float>();
  float* const w = parameters_[i].mutable_data_ptr<float>();
  float* const ms = mean_square_[i].mutable_data_ptr<float>();
  float* const mg = mean_[i].mutable_data_ptr<float>();
  float* const step = step_[i].mutable_data_ptr<float>();
  parallel_for(0, gradient.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    update(g + begin, w + begin, ms + begin, mg + begin, step + begin, end - begin, coefficients);
  });
}

// The same by LibTorch's operators, for devices that the loop cannot reach.
void RmsProp::update_plain(std::size_t i, double learning_rate) {
  const at::Tensor g = parameters_[i].grad() + options_.weight_decay * parameters_[i];
  mean_square_[i].lerp_(g.square(), 1 - options_.decay);
  mean_[i].lerp_(g, 1 - options_.decay);
  const at::Tensor variance = (mean_square_[i] - mean_[i].square()).clamp_min(0);
  step_[i].mul_(options_.momentum);
  step_[i].addcdiv_(g, (variance + options_.epsilon).sqrt(), learning_rate);
  parameters_[i].sub_(step_[i]);
}

}  // namespace uad::models::tiny_unet

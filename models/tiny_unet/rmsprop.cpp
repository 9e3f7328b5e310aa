// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/rmsprop.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "core/base/simd.h"

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

RmsProp::RmsProp(const TensorMap& parameters, const RmsPropOptions& options) : options_(options) {
  for (const auto& [name, parameter] : parameters) {
    const at::Tensor plain = parameter.detach();  // shares the values, records no gradients
    slots_.push_back(
        {name, parameter, at::ones_like(plain), at::zeros_like(plain), at::zeros_like(plain)});
  }
}

void RmsProp::step(double learning_rate) {
  const c10::NoGradGuard no_gradients;
  for (Slot& slot : slots_) {
    const at::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    if (slot.parameter.is_cpu()) {
      update_fused(slot, gradient.contiguous(), learning_rate);
    } else {
      update_plain(slot, gradient, learning_rate);
    }
    slot.parameter.mutable_grad().reset();
  }
}

TensorMap RmsProp::state() const {
  TensorMap state;
  for (const Slot& slot : slots_) {
    state["mean_square." + slot.name] = slot.mean_square;
    state["mean." + slot.name] = slot.mean;
    state["step." + slot.name] = slot.step;
  }
  return state;
}

void RmsProp::update_fused(Slot& slot, const at::Tensor& gradient, double learning_rate) const {
  const Coefficients coefficients{
      static_cast<float>(1 - options_.decay), static_cast<float>(options_.momentum),
      static_cast<float>(options_.epsilon), static_cast<float>(options_.weight_decay),
      static_cast<float>(learning_rate)};
  const float* const g = gradient.const_data_ptr<float>();
  float* const w = slot.parameter.mutable_data_ptr<float>();
  float* const ms = slot.mean_square.mutable_data_ptr<float>();
  float* const mg = slot.mean.mutable_data_ptr<float>();
  float* const step = slot.step.mutable_data_ptr<float>();
  at::parallel_for(0, gradient.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    update(g + begin, w + begin, ms + begin, mg + begin, step + begin, end - begin, coefficients);
  });
}

// The same by LibTorch's operators, for devices without a loop of their own.
void RmsProp::update_plain(Slot& slot, const at::Tensor& gradient, double learning_rate) const {
  const at::Tensor g = gradient + options_.weight_decay * slot.parameter;
  slot.mean_square.lerp_(g.square(), 1 - options_.decay);
  slot.mean.lerp_(g, 1 - options_.decay);
  const at::Tensor variance = (slot.mean_square - slot.mean.square()).clamp_min(0);
  slot.step.mul_(options_.momentum)
      .addcdiv_(g, (variance + options_.epsilon).sqrt(), learning_rate);
  slot.parameter.sub_(slot.step);
}

}  // namespace uad::models::tiny_unet

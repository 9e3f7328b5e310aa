// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/layout.h"

#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/stored_weights.h"

namespace uad::models::uf_gan {

namespace {

std::int64_t numel(const Slot& slot) {
  std::int64_t count = 1;
  for (const std::int64_t side : slot.shape) count *= side;
  return count;
}

at::Tensor first_values(const Slot& slot, const at::Generator& random) {
  switch (slot.kind) {
    case Slot::Kind::kKernel: {
      const double limit = std::sqrt(6 / (slot.fan_in + slot.fan_out));
      return ((at::rand(slot.shape, random, at::kDouble) * 2 - 1) * limit).to(at::kFloat);
    }
    case Slot::Kind::kOne:
    case Slot::Kind::kVariance:
      return at::ones(slot.shape, at::kFloat);
    case Slot::Kind::kZero:
    case Slot::Kind::kMean:
      break;
  }
  return at::zeros(slot.shape, at::kFloat);
}

}  // namespace

void Layout::conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                  bool bias, std::int64_t groups) {
  const std::int64_t area = kernel * kernel;
  const bool depthwise = groups == in && in == out;
  // Keras draws a depthwise kernel [k, k, in, 1] as if it led from all channels to one.
  const auto fan_in = static_cast<double>((depthwise ? in : in / groups) * area);
  const auto fan_out = static_cast<double>((depthwise ? 1 : out / groups) * area);
  slots_.push_back(
      {name + ".weight", {out, in / groups, kernel, kernel}, Slot::Kind::kKernel, fan_in, fan_out});
  if (bias) slots_.push_back({name + ".bias", {out}});
}

void Layout::transposed(const std::string& name, std::int64_t in, std::int64_t out) {
  constexpr std::int64_t kSide = 4;
  constexpr double kArea = kSide * kSide;
  slots_.push_back({name + ".weight",
                    {in, out, kSide, kSide},
                    Slot::Kind::kKernel,
                    static_cast<double>(in) * kArea,
                    static_cast<double>(out) * kArea});
  slots_.push_back({name + ".bias", {out}});
}

void Layout::norm(const std::string& name, std::int64_t channels, bool scale) {
  if (scale) slots_.push_back({name + ".weight", {channels}, Slot::Kind::kOne});
  slots_.push_back({name + ".bias", {channels}});
  slots_.push_back({name + ".running_mean", {channels}, Slot::Kind::kMean});
  slots_.push_back({name + ".running_var", {channels}, Slot::Kind::kVariance});
}

std::int64_t Layout::trained_count() const {
  std::int64_t count = 0;
  for (const Slot& slot : slots_) count += slot.trained() ? numel(slot) : 0;
  return count;
}

TensorMap initial_weights(const Layout& layout, std::uint64_t seed) {
  const at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  TensorMap weights;
  for (const Slot& slot : layout.slots()) weights[slot.name] = first_values(slot, random);
  return weights;
}

TensorMap read_weights(const CheckpointReader& in, const Layout& layout,
                       const std::string& prefix) {
  WeightShapes shapes;
  for (const Slot& slot : layout.slots()) shapes[slot.name] = slot.shape;
  return uad::read_weights(in, shapes, prefix);
}

}  // namespace uad::models::uf_gan

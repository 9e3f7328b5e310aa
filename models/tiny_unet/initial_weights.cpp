// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/initial_weights.h"

#include <array>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "models/tiny_unet/network.h"

namespace uad::models::tiny_unet {

namespace {

constexpr double kCutShrinks = 0.87962566103423978;  // deviation of a unit normal cut at 2

// float64, uniform on -1 … 1.
at::Tensor draw(at::IntArrayRef shape, const at::Generator& random) {
  return at::rand(shape, random, at::kDouble) * 2 - 1;
}

// float64, unit deviation: a normal cut at two deviations, by the inverse of its distribution.
at::Tensor draw_cut_normal(at::IntArrayRef shape, const at::Generator& random) {
  const double inside = std::erf(2 / std::numbers::sqrt2);
  return at::erfinv(draw(shape, random) * inside) * (std::numbers::sqrt2 / kCutShrinks);
}

at::Tensor draw_orthogonal(const Layer& layer, const at::Generator& random) {
  const std::int64_t inputs = layer.in * layer.kernel * layer.kernel;
  const bool tall = layer.out >= inputs;
  const std::int64_t longer = tall ? layer.out : inputs;
  const std::int64_t shorter = tall ? inputs : layer.out;
  const auto [q, r] = at::linalg_qr(at::randn({longer, shorter}, random, at::kDouble));
  const at::Tensor even = q * r.diagonal().sign();  // else the draw would favour one sign
  return (tall ? even : even.t()).reshape({layer.out, layer.in, layer.kernel, layer.kernel});
}

at::Tensor draw_weight(const Layer& layer, const std::string& name, const at::Generator& random) {
  if (name == "orthogonal") return draw_orthogonal(layer, random);
  const auto area = static_cast<double>(layer.kernel * layer.kernel);
  const double inputs = static_cast<double>(layer.in) * area;
  const double fan =
      name.starts_with("he_") ? inputs : inputs + static_cast<double>(layer.out) * area;
  const std::array<std::int64_t, 4> shape{layer.out, layer.in, layer.kernel, layer.kernel};
  if (name.ends_with("_uniform")) return draw(shape, random) * std::sqrt(6 / fan);
  return draw_cut_normal(shape, random) * std::sqrt(2 / fan);
}

}  // namespace

const std::vector<std::string>& init_names() {
  static const std::vector<std::string> names{"he_uniform", "he_normal", "glorot_uniform",
                                              "glorot_normal", "orthogonal"};
  return names;
}

TensorMap initial_weights(const std::string& variant, const std::string& name, std::uint64_t seed) {
  const at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  TensorMap weights;
  for (const Layer& layer : layers(variant)) {
    weights[layer.name + ".weight"] = draw_weight(layer, name, random).to(at::kFloat).contiguous();
    weights[layer.name + ".bias"] = at::zeros({layer.out}, at::kFloat);
  }
  return weights;
}

}  // namespace uad::models::tiny_unet

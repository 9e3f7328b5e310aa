// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights and images from formulas. Source: specification, TinyUNet, section 11.
#pragma once

#include <cmath>
#include <cstdint>

#include <ATen/ATen.h>

#include "models/tiny_unet/network.h"
#include "tests/models/fill.h"

namespace uad::test {

inline TensorMap filled_parameters(const std::string& variant) {
  TensorMap parameters;
  for (const auto& layer : models::tiny_unet::layers(variant)) {
    const std::int64_t inputs = layer.in * layer.kernel * layer.kernel;
    const at::Tensor weight = at::empty({layer.out, layer.in, layer.kernel, layer.kernel});
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs));
    float* const values = weight.mutable_data_ptr<float>();
    for (std::int64_t j = 0; j < weight.numel(); ++j) {
      values[j] = static_cast<float>(bound * fill_value(static_cast<std::uint32_t>(j)));
    }
    parameters[layer.name + ".weight"] = weight;
    parameters[layer.name + ".bias"] = at::zeros({layer.out});
  }
  return parameters;
}

/// Input A: float32 [1, 1, side, side], the upper left corner of the 512 x 512 image.
inline at::Tensor waves(std::int64_t side) {
  const at::Tensor h = at::arange(side, at::kDouble).view({side, 1});
  const at::Tensor w = at::arange(side, at::kDouble).view({1, side});
  const at::Tensor x = 0.5 * at::sin(0.05 * h) + 0.4 * at::cos(0.07 * w - 0.03 * h);
  return x.to(at::kFloat).view({1, 1, side, side});
}

struct LabelledImages {
  at::Tensor images;  ///< float32 [N, 1, H, W] on -1 … 1
  at::Tensor masks;   ///< float32 [N, 1, H, W], 0 or 1
};

/// Four textures of 128 x 128 with a dark ellipse each; smaller ones are scaled down alike.
inline LabelledImages ellipses(std::int64_t side = 128) {
  const double scale = 128.0 / static_cast<double>(side);
  const at::Tensor h = at::arange(side, at::kDouble).view({side, 1}) * scale;
  const at::Tensor w = at::arange(side, at::kDouble).view({1, side}) * scale;
  std::vector<at::Tensor> images;
  std::vector<at::Tensor> masks;
  for (int i = 0; i < 4; ++i) {
    const at::Tensor base =
        0.5 + 0.15 * at::sin(0.3 * h + 0.2 * w + i) + 0.1 * at::cos(0.5 * w - 0.1 * h);
    const at::Tensor inside =
        ((h - 32 - 16 * i) / 10).square() + ((w - 96 + 16 * i) / 16).square() <= 1;
    masks.push_back(inside.to(at::kFloat).view({1, 1, side, side}));
    const at::Tensor image = (base - 0.25 * inside.to(at::kDouble)).clamp(0, 1);
    images.push_back(((image * 255).round() / 127.5 - 1).to(at::kFloat).view({1, 1, side, side}));
  }
  return {at::cat(images), at::cat(masks)};
}

}  // namespace uad::test

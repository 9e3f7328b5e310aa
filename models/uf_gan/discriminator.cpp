// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/discriminator.h"

#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace uad::models::uf_gan {

namespace {

constexpr double kSlope = 0.2;
constexpr double kEpsilon = 1e-3;

std::size_t block_count(std::int64_t size) { return size > 128 ? 5 : 4; }

std::string name_of(std::size_t block) { return fmt::format("block{}.", block); }

}  // namespace

Layout discriminator_layout(std::int64_t size) {
  constexpr std::int64_t kKernel = 5;
  Layout layout;
  std::int64_t in = 3;
  for (std::size_t b = 0; b < block_count(size); ++b) {
    const std::int64_t out = size << b;
    layout.conv(name_of(b) + "depthwise", in, in, kKernel, false, in);
    layout.conv(name_of(b) + "pointwise", in, out, 1, true);
    if (b > 0) layout.norm(name_of(b) + "bn", out);
    in = out;
  }
  layout.conv("head", in, 1, 1, true);
  return layout;
}

Judgement discriminate(const TensorMap& weights, const at::Tensor& images, Pass pass, double momentum) {
  const Layers layers(weights, pass, momentum);
  Judgement judgement;
  at::Tensor x = images;
  for (std::size_t b = 0; weights.contains(name_of(b) + "depthwise.weight"); ++b) {
    x = layers.conv_half(x, name_of(b) + "depthwise", x.size(1));
    x = layers.conv(x, name_of(b) + "pointwise", 1, 0);
    if (b > 0) x = layers.norm(x, name_of(b) + "bn", kEpsilon);
    x = at::leaky_relu(x, kSlope);
    judgement.features.push_back(x);
  }
  judgement.probability = layers.conv(x, "head", 1, 0).sigmoid();
  return judgement;
}

}  // namespace uad::models::uf_gan

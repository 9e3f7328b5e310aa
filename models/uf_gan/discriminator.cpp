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

Judgement discriminate(const Layers& layers, std::int64_t size, const at::Tensor& images) {
  Judgement judgement;
  at::Tensor x = images;
  for (std::size_t b = 0; b < block_count(size); ++b) {
    x = layers.conv(x, {.name = name_of(b) + "depthwise",
                        .stride = 2,
                        .groups = x.size(1),
                        .padding = Conv::Padding::kHalf});
    x = layers.conv(x, {.name = name_of(b) + "pointwise",
                        .norm = b > 0 ? name_of(b) + "bn" : "",
                        .epsilon = kEpsilon,
                        .slope = kSlope});
    judgement.features.push_back(x);
  }
  judgement.probability = layers.conv(x, {.name = "head"}).sigmoid();
  return judgement;
}

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/gabor.h"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using uad::models::Gabor;

// Stripes of the given wavelength (pixels) and direction of change (degrees), as network input.
at::Tensor stripes(double wavelength, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const at::Tensor y = at::arange(128).view({128, 1});
  const at::Tensor x = at::arange(128).view({1, 128});
  const at::Tensor along = x * std::cos(angle) + y * std::sin(angle);
  return at::sin(along * (2 * std::numbers::pi / wavelength)).expand({1, 3, 128, 128});
}

TEST(Gabor, AnswersMostStronglyToItsOwnDirection) {
  const Gabor bank({uad::models::gabor_layers()[0]}, at::kCPU);
  for (int orientation = 0; orientation < 6; ++orientation) {
    const at::Tensor features = bank.features(stripes(5, 30 * orientation)).front();
    const at::Tensor energies = features[0].slice(0, 0, 6).mean({1, 2});
    EXPECT_EQ(energies.argmax().item<int>(), orientation);
  }
}

TEST(Gabor, FlatImagesHaveNoStructureEvenAtTheBorder) {
  const Gabor bank(uad::models::gabor_layers(), at::kCPU);
  for (const at::Tensor& map : bank.features(at::full({1, 3, 50, 70}, 1.5F))) {
    EXPECT_LT(map.slice(1, 0, map.size(1) - 4).abs().max().item<float>(), 1e-3);
    EXPECT_LT(map.slice(1, map.size(1) - 1).abs().max().item<float>(), 0.02);
  }
}

TEST(Gabor, ColourChangesOnlyColourChannels) {
  const Gabor bank({uad::models::gabor_layers()[1]}, at::kCPU);
  at::Tensor grey = at::zeros({1, 3, 64, 64});
  at::Tensor tinted = grey.clone();
  tinted.select(1, 2).fill_(1);
  const at::Tensor off = (bank.features(tinted)[0] - bank.features(grey)[0]).abs().mean({0, 2, 3});
  EXPECT_GT(off[-2].item<float>(), 1);     // blue against yellow
  EXPECT_LT(off[-3].item<float>(), 1e-4);  // red against green
  EXPECT_LT(off.slice(0, 0, off.size(0) - 4).max().item<float>(), 1e-3);
}

TEST(Gabor, GridsFollowTheStridesForOddSizes) {
  const Gabor bank(uad::models::gabor_layers(), at::kCPU);
  const auto features = bank.features(at::zeros({2, 3, 67, 101}));
  for (std::size_t i = 0; i < features.size(); ++i) {
    const auto& layer = bank.layers()[i];
    EXPECT_EQ(features[i].sizes(),
              at::IntArrayRef({2, layer.channels, (67 + layer.stride - 1) / layer.stride,
                               (101 + layer.stride - 1) / layer.stride}));
  }
}

}  // namespace

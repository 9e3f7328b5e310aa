// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers from the specification of representation-based detectors, section 4.
#include "core/base/results/score_map.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using uad::ScoreMap;

ScoreMap impulse(int side, int x, int y) {
  ScoreMap map{side, side, std::vector<float>(static_cast<std::size_t>(side * side))};
  map.values[static_cast<std::size_t>(y * side + x)] = 1;
  return map;
}

TEST(Upsample, HalfPixelCentres) {
  const ScoreMap map = uad::upsample_bilinear({2, 2, {0, 10, 20, 30}}, {4, 4});
  const std::array<float, 8> expected{0, 2.5F, 7.5F, 10, 5, 7.5F, 12.5F, 15};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(map.values[i], expected[i], 1e-6);
}

TEST(Upsample, SinglePatchBecomesAConstant) {
  const ScoreMap map = uad::upsample_bilinear({1, 1, {3.5F}}, {5, 3});
  EXPECT_EQ(map.values, std::vector<float>(15, 3.5F));
}

TEST(Upsample, WrongNumberOfValuesIsRefused) {
  EXPECT_THROW(uad::upsample_bilinear({2, 2, {1, 2, 3}}, {4, 4}), uad::Error);
  EXPECT_THROW(uad::upsample_bilinear({1, 1, {1}}, {0, 4}), uad::Error);
}

TEST(Blur, ImpulseShowsTheKernel) {
  const std::array<double, 17> kernel{0.099739, 0.096670, 0.088019, 0.075287, 0.060495, 0.045664,
                                      0.032381, 0.021570, 0.013498, 0.007935, 0.004382, 0.002273,
                                      0.001108, 0.000507, 0.000218, 0.000088, 0.000033};
  const ScoreMap map = uad::gaussian_blur(impulse(64, 32, 32));
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    EXPECT_NEAR(map.at(32, 32 + static_cast<int>(i)), kernel[0] * kernel[i], 1e-7) << i;
  }
  EXPECT_NEAR(map.at(32, 32), 0.00994789, 1e-8);
  EXPECT_NEAR(map.at(36, 32), 0.0060337, 1e-7);
  EXPECT_NEAR(map.at(48, 32), 3.33714e-6, 1e-10);
  EXPECT_EQ(map.at(49, 32), 0);
}

TEST(Blur, BorderRepeatsTheEdgePixel) {
  const ScoreMap map = uad::gaussian_blur(impulse(64, 0, 0));
  EXPECT_NEAR(map.at(0, 0), 0.0385767, 1e-7);
  EXPECT_NEAR(map.at(4, 4), 0.0112697, 1e-7);
  EXPECT_NEAR(std::accumulate(map.values.begin(), map.values.end(), 0.0), 1, 1e-5);
}

TEST(Blur, ConstantSurvivesOnMapsSmallerThanTheKernel) {
  for (const uad::Size size : {uad::Size{1, 1}, uad::Size{2, 1}, uad::Size{3, 40}}) {
    const ScoreMap map = uad::gaussian_blur(
        {size.width, size.height,
         std::vector<float>(static_cast<std::size_t>(size.width * size.height), 2.0F)});
    for (const float value : map.values) EXPECT_NEAR(value, 2, 1e-6);
  }
}

TEST(Blur, SigmaMustBePositive) {
  EXPECT_THROW(uad::gaussian_blur(impulse(4, 0, 0), 0), uad::Error);
}

TEST(PostProcessing, GridUpsampledAndBlurred) {
  const ScoreMap map = uad::gaussian_blur(uad::upsample_bilinear({2, 2, {1, 2, 3, 4}}, {8, 8}));
  EXPECT_NEAR(*std::max_element(map.values.begin(), map.values.end()), 2.987881, 1e-6);
  EXPECT_NEAR(*std::min_element(map.values.begin(), map.values.end()), 2.012119, 1e-6);
  const std::array<double, 8> first{2.012119, 2.036876, 2.082624, 2.142397,
                                    2.207095, 2.266868, 2.312615, 2.337373};
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(map.values[i], first[i], 1e-6);
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/objective.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace uad::models::uf_gan {
namespace {

double item(const at::Tensor& tensor) { return tensor.item<double>(); }

at::Tensor map_of(double value) { return at::full({3, 1, 8, 8}, value, at::kDouble); }

TEST(UfGanObjective, AdversarialLossesOfConstantMaps) {
  const Adversarial equal = adversarial(map_of(0.4), map_of(0.4));
  EXPECT_NEAR(item(equal.generator), 1.3862904, 1e-6);
  EXPECT_NEAR(item(equal.discriminator), 1.3862904, 1e-6);
  const Adversarial sure = adversarial(map_of(0.9), map_of(0.1));
  EXPECT_NEAR(item(sure.generator), 2.3421949, 1e-6);
  EXPECT_NEAR(item(sure.discriminator), 0.7421984, 1e-6);
}

TEST(UfGanObjective, TheOthersMeanIsTakenOverTheBatchAlone) {
  at::Tensor real = at::zeros({2, 1, 1, 2}, at::kDouble);
  real[0][0][0][0] = 1;  // mean 0.5 at the first place, 0 at the second
  const at::Tensor fake = at::zeros({2, 1, 1, 2}, at::kDouble);
  const auto nlog = [](double x) { return -std::log(1 / (1 + std::exp(-x)) + 1e-6); };
  // fake - mean(real): -0.5, 0; real - mean(fake): 1, 0, 0, 0
  const double likely = (2 * nlog(-0.5) + 2 * nlog(0)) / 4;
  const double unlikely = (nlog(-1) + 3 * nlog(0)) / 4;
  EXPECT_NEAR(item(adversarial(real, fake).generator), likely + unlikely, 1e-6);
}

TEST(UfGanObjective, CharbonnierOfConstantErrors) {
  const at::Tensor images = at::zeros({2, 3, 4, 4}, at::kDouble);
  EXPECT_NEAR(item(charbonnier(images, images)), 0.001, 1e-9);
  EXPECT_NEAR(item(charbonnier(images, images + 0.1)), 0.1000050, 1e-7);
}

TEST(UfGanObjective, FeatureErrorsAreSummedOverBlocks) {
  std::vector<at::Tensor> real;
  std::vector<at::Tensor> fake;
  for (int i = 1; i <= 4; ++i) {
    real.push_back(at::zeros({2, 8 * i, 16 / i, 16 / i}, at::kDouble));
    fake.push_back(at::full_like(real.back(), i));
  }
  EXPECT_NEAR(item(multi_feature(real, fake)), 30, 1e-9);
}

TEST(UfGanObjective, ScoreIsTheWeightedSumOfEachImage) {
  const std::vector<at::Tensor> real{at::zeros({1, 2, 2, 2})};
  const std::vector<at::Tensor> fake{at::full({1, 2, 2, 2}, std::sqrt(0.05))};
  const at::Tensor error = at::full({1, 1, 4, 4}, 0.2);
  EXPECT_NEAR(item(anomaly_score(error, real, fake, {}, 0.7)[0]), 0.155, 1e-6);
}

TEST(UfGanObjective, IgnoredPixelsAreNoPartOfTheScore) {
  at::Tensor error = at::full({1, 1, 4, 4}, 0.2);
  error.slice(3, 2) = 9;
  at::Tensor keep = at::ones({1, 1, 4, 4}, at::kByte);
  keep.slice(3, 2) = 0;
  const std::vector<at::Tensor> real{at::zeros({1, 2, 2, 2})};
  at::Tensor other = at::full({1, 2, 2, 2}, std::sqrt(0.05));
  other.slice(3, 1) = 9;
  EXPECT_NEAR(item(anomaly_score(error, real, {other}, keep, 0.7)[0]), 0.155, 1e-6);
}

}  // namespace
}  // namespace uad::models::uf_gan

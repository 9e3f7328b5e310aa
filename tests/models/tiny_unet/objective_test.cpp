// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/objective.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/tiny_unet/scoring.h"

namespace {

namespace unet = uad::models::tiny_unet;

// The four pixels of the specification.
const at::Tensor& p() {
  static const at::Tensor probabilities = at::tensor({0.2F, 0.7F, 0.9F, 0.4F});
  return probabilities;
}
const at::Tensor& t() {
  static const at::Tensor mask = at::tensor({0.0F, 1.0F, 1.0F, 0.0F});
  return mask;
}
at::Tensor z() { return p().logit(); }

double loss(const char* name, const at::Tensor& logits = z(), const at::Tensor& mask = t()) {
  return unet::loss(name, logits, mask).item<double>();
}

TEST(TinyUnetObjective, DiceOfFourPixels) {
  EXPECT_NEAR(unet::dice(p(), t()).item<double>(), 0.8076923, 1e-6);
  EXPECT_NEAR(unet::squared_dice(p(), t()).item<double>(), 0.9333333, 1e-6);
}

TEST(TinyUnetObjective, LossesOfFourPixels) {
  EXPECT_NEAR(loss("dice_sorensen"), 0.1923077, 1e-6);
  EXPECT_NEAR(loss("dice_jaccard"), 1 - 0.9333333, 1e-6);
  EXPECT_NEAR(loss("x-entropy"), 0.2990010, 1e-6);
  EXPECT_NEAR(unet::cross_entropy_with_logits(z(), t()).item<double>(), 0.2990010, 1e-6);
  EXPECT_NEAR(loss("l2_loss"), 0.15, 1e-6);
  EXPECT_NEAR(loss("adaptive_loss"), 0.1923077, 1e-6);
}

TEST(TinyUnetObjective, AdaptiveLossIsCrossEntropyWhereTheOverlapIsPoor) {
  const at::Tensor poor = -z();  // Dice loss 0.65
  EXPECT_NEAR(loss("adaptive_loss", poor),
              unet::cross_entropy_with_logits(poor, t()).item<double>(), 1e-7);
  EXPECT_GT(std::abs(loss("adaptive_loss", poor) - loss("dice_sorensen", poor)), 0.1);
}

TEST(TinyUnetObjective, NothingFoundWhereNothingIsAgreesFully) {
  const at::Tensor none = at::zeros(4);
  EXPECT_EQ(unet::dice(none, none).item<double>(), 1);
  EXPECT_EQ(unet::squared_dice(none, none).item<double>(), 1);
}

TEST(TinyUnetObjective, CrossEntropyIsFiniteForCertainMistakes) {
  const at::Tensor certain = at::tensor({200.0F, -200.0F, -200.0F, 200.0F});
  EXPECT_NEAR(loss("x-entropy", certain), -std::log(1e-7), 0.2);
  EXPECT_NEAR(unet::cross_entropy_with_logits(certain, t()).item<double>(), 200, 1e-3);
}

TEST(TinyUnetObjective, DecayCountsWeightsAndBiases) {
  const uad::TensorMap parameters{{"weight", at::full({2, 1, 1, 1}, 3)}, {"bias", at::full(2, 2)}};
  EXPECT_EQ(unet::decay_term(parameters).item<double>(), 13);
}

TEST(TinyUnetScoring, MapIsTheProbabilityAndScoreItsMaximum) {
  const auto found = unet::score(z().view({2, 1, 1, 2}), {});
  EXPECT_TRUE(at::allclose(found.map.flatten(), p()));
  EXPECT_TRUE(at::allclose(found.score, at::tensor({0.7F, 0.9F})));
}

TEST(TinyUnetScoring, IgnoredPixelsAreZeroAndNoPartOfTheScore) {
  const at::Tensor keep = at::tensor({1, 0, 0, 1}, at::kByte).view({2, 1, 1, 2});
  const auto found = unet::score(z().view({2, 1, 1, 2}), keep);
  EXPECT_TRUE(at::allclose(found.map.flatten(), at::tensor({0.2F, 0.0F, 0.0F, 0.4F})));
  EXPECT_TRUE(at::allclose(found.score, at::tensor({0.2F, 0.4F})));
}

TEST(TinyUnetScoring, WhatIsNoNumberIsNoPass) {
  const auto found = unet::score(at::tensor({NAN, -3.0F}).view({1, 1, 1, 2}), {});
  EXPECT_TRUE(std::isnan(found.score.item<float>()));
}

}  // namespace

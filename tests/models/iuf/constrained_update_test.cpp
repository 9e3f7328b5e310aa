// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/constrained_update.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace uad::models::iuf {
namespace {

at::Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
  return at::tensor(values).view({-1, columns});
}

Directions of(const at::Tensor& rows) { return Directions{}.with(rows); }

// Specification, section 13, check 7.
TEST(IufDirections, WeighGradientsByTheLogarithmOfTheirRank) {
  const at::Tensor projector = of(at::diag(at::tensor({4.0F, 3.0F, 2.0F, 1.0F}))).projector();
  const at::Tensor expected = at::tensor({0.0F, 0.5F, 0.792481F, 1.0F});
  EXPECT_TRUE(at::matmul(projector, at::ones({4, 2})).select(1, 1).allclose(expected, 0, 1e-5));
  EXPECT_TRUE(at::matmul(projector, at::tensor({1.0F, 2.0F, 3.0F, 4.0F}))
                  .allclose(at::tensor({0.0F, 1.0F, 2.377444F, 4.0F}), 0, 1e-5));
}

TEST(IufDirections, FollowRowsThatLieAcrossTheChannels) {
  const at::Tensor projector = of(matrix({1, 1, 2, 2.1F, 3, 2.9F}, 2)).projector();
  EXPECT_TRUE(projector.allclose(matrix({.496763F, -.49999F, -.49999F, .503237F}, 2), 0, 1e-5))
      << projector;
  EXPECT_TRUE(at::matmul(projector, matrix({1, 2, 3, 4}, 2))
                  .allclose(matrix({-1.003206F, -1.006433F, 1.009723F, 1.01297F}, 2), 0, 1e-5));
}

TEST(IufDirections, LeaveFreeWhatNoRowHas) {
  const at::Tensor projector = of(matrix({2, 0, 0, 0}, 4)).projector();
  EXPECT_TRUE(projector.allclose(at::diag(at::tensor({0.0F, 1.0F, 1.0F, 1.0F})), 0, 1e-6));
}

TEST(IufDirections, GrowAsIfAllRowsHadComeAtOnce) {
  at::manual_seed(5);
  const at::Tensor rows = at::randn({40, 16}) * at::arange(1, 17);
  const Directions grown =
      of(rows.slice(0, 0, 9)).with(rows.slice(0, 9, 30)).with(rows.slice(0, 30));
  const Directions whole = of(rows);
  EXPECT_TRUE(grown.values.allclose(whole.values, 1e-4, 1e-4));
  EXPECT_TRUE(grown.projector().allclose(whole.projector(), 0, 1e-3));
}

/// A layer of 2 outputs and 3 inputs, and a parameter beside it.
struct Layer {
  at::Tensor weight = at::ones({2, 3}).requires_grad_(true);
  at::Tensor bias = at::ones({2}).requires_grad_(true);
  at::Tensor other = at::ones({1}).requires_grad_(true);
  [[nodiscard]] std::vector<at::Tensor> parameters() const { return {weight, bias, other}; }
  void set_gradients(float value) {
    for (at::Tensor* one : {&weight, &bias, &other}) {
      one->mutable_grad() = at::full_like(*one, value).detach();
    }
  }
};

TEST(IufConstrainedSgd, ProjectsTheLayersItRemembers) {
  Layer layer;
  ConstrainedSgd optimiser(layer.parameters(), {}, {{0, 1, matrix({0, 0, 0, 1}, 2)}}, {}, 0);
  layer.set_gradients(0.25F);
  optimiser.step(1);
  EXPECT_TRUE(layer.weight.equal(matrix({1, 1, 1, .75F, .75F, .75F}, 3)));
  EXPECT_TRUE(layer.bias.equal(at::tensor({1.0F, .75F})));
  EXPECT_EQ(layer.other.item<float>(), 0.75F);
}

// Specification, section 13, check 8.
TEST(IufConstrainedSgd, PullsTowardsTheOldValues) {
  Layer layer;
  at::Tensor statistic = at::full({2}, 3.0F);
  ConstrainedSgd optimiser(layer.parameters(), {}, {},
                           {{layer.weight.detach(), at::zeros({2, 3})}, {statistic, at::ones({2})}},
                           0.05);
  layer.set_gradients(0);
  for (int i = 0; i < 10; ++i) optimiser.step(1);
  EXPECT_NEAR(layer.weight[0][0].item<double>(), std::pow(0.95, 10), 1e-6);
  EXPECT_NEAR(statistic[0].item<double>(), 1 + 2 * std::pow(0.95, 10), 1e-6);
  EXPECT_EQ(layer.bias[0].item<float>(), 1);
}

TEST(IufConstrainedSgd, GivesEachParameterItsRate) {
  Layer layer;
  ConstrainedSgd optimiser(layer.parameters(), {1, 1, 0.1}, {}, {}, 0);
  layer.set_gradients(0.5F);
  optimiser.step(1);
  EXPECT_FLOAT_EQ(layer.bias[0].item<float>(), 0.5F);
  EXPECT_FLOAT_EQ(layer.other.item<float>(), 0.95F);
}

}  // namespace
}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/optimiser.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "core/gradient/schedule.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;

at::Tensor parameter(double value) { return at::full({1}, value).requires_grad_(true); }

/// d loss / d w = gradient.
at::Tensor slope(const at::Tensor& w, double gradient) { return (w * gradient).sum(); }

TEST(Sgd, AddsWeightDecayToTheGradientAndKeepsMomentum) {
  const at::Tensor w = parameter(2);
  Sgd sgd({w}, {.momentum = 0.9, .weight_decay = 0.1});
  descend(slope(w, 1), sgd, 0.5);
  // gradient 1 + 0.1 * 2 = 1.2, momentum 1.2
  EXPECT_NEAR(w.item<double>(), 2 - 0.5 * 1.2, 1e-6);
  descend(slope(w, 1), sgd, 0.5);
  // gradient 1 + 0.1 * 1.4 = 1.14, momentum 0.9 * 1.2 + 1.14 = 2.22
  EXPECT_NEAR(w.item<double>(), 1.4 - 0.5 * 2.22, 1e-6);
}

TEST(Adam, FollowsThePaper) {
  const at::Tensor w = parameter(1);
  Adam adam({w}, {});
  double mean = 0;
  double square = 0;
  double expected = 1;
  const std::vector<double> gradients{1, -2, 0.5, 0.25};
  for (std::size_t t = 1; t <= gradients.size(); ++t) {
    const double g = gradients[t - 1];
    mean = 0.9 * mean + 0.1 * g;
    square = 0.999 * square + 0.001 * g * g;
    const double unbiased = mean / (1 - std::pow(0.9, t));
    expected -= 0.01 * unbiased / (std::sqrt(square / (1 - std::pow(0.999, t))) + 1e-8);
    descend(slope(w, g), adam, 0.01);
    EXPECT_NEAR(w.item<double>(), expected, 1e-6) << t;
  }
}

TEST(Optimisers, AStateThatIsPutBackGivesTheSameSteps) {
  const auto run = [](auto& optimiser, const at::Tensor& w, int steps) {
    for (int i = 0; i < steps; ++i) descend((w * w * (i + 1)).sum(), optimiser, 0.01);
  };
  const at::Tensor through = parameter(3);
  Adam straight({through}, {});
  run(straight, through, 3);
  const at::Tensor copy = parameter(through.item<double>());
  Adam other({copy}, {});
  {
    const c10::NoGradGuard no_gradients;
    TensorMap to = other.state();
    for (const auto& [name, tensor] : straight.state()) to.at(name).copy_(tensor);
  }
  run(straight, through, 2);
  run(other, copy, 2);
  EXPECT_EQ(through.item<float>(), copy.item<float>());
}

TEST(Descend, LimitsTheCommonNormOfAllGradients) {
  const at::Tensor a = parameter(0);
  const at::Tensor b = parameter(0);
  Sgd sgd({a, b}, {.momentum = 0});
  const double norm = descend(slope(a, 3) + slope(b, 4), sgd, 1, 1);
  EXPECT_NEAR(norm, 5, 1e-6);
  EXPECT_NEAR(a.item<double>(), -0.6, 1e-6);
  EXPECT_NEAR(b.item<double>(), -0.8, 1e-6);
}

TEST(Descend, ALossThatIsNoNumberChangesNoWeight) {
  const at::Tensor w = parameter(2);
  Sgd sgd({w}, {});
  expect_error(ErrorCode::kFailed, {"loss became nan"}, [&] { descend(slope(w, NAN), sgd, 1); });
  EXPECT_EQ(w.item<float>(), 2);
  // a finite loss with an infinite slope
  expect_error(ErrorCode::kFailed, {"gradients"}, [&] { descend((w - 2).sqrt().sum(), sgd, 1); });
  EXPECT_EQ(w.item<float>(), 2);
}

TEST(Schedule, FollowsItsKind) {
  Schedule step{.kind = Schedule::Kind::kStep, .rate = 1e-4, .factor = 0.8, .every = 500};
  EXPECT_DOUBLE_EQ(step.at(0), 1e-4);
  EXPECT_DOUBLE_EQ(step.at(499), 1e-4);
  EXPECT_DOUBLE_EQ(step.at(500), 8e-5);
  EXPECT_NEAR(step.at(2499), 4.096e-5, 1e-15);
  const Schedule smooth{
      .kind = Schedule::Kind::kExponential, .rate = 1, .factor = 0.25, .every = 10};
  EXPECT_DOUBLE_EQ(smooth.at(5), 0.5);
  const Schedule cosine{.kind = Schedule::Kind::kCosine, .rate = 2, .total = 100};
  EXPECT_DOUBLE_EQ(cosine.at(0), 2);
  EXPECT_NEAR(cosine.at(50), 1, 1e-12);
  EXPECT_NEAR(cosine.at(100), 0, 1e-12);
  EXPECT_DOUBLE_EQ(Schedule{.rate = 0.4}.at(12345), 0.4);
}

}  // namespace
}  // namespace uad

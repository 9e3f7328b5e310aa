// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/rmsprop.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/tiny_unet/learner.h"
#include "models/tiny_unet/network.h"
#include "models/tiny_unet/objective.h"
#include "tests/models/tiny_unet/fixture.h"

namespace {

using nlohmann::json;
using uad::models::tiny_unet::RmsProp;

namespace unet = uad::models::tiny_unet;

constexpr double kDecay = 1e-5;

at::Tensor parameter(const at::Tensor& values) { return values.clone().requires_grad_(true); }

void set_gradient(const at::Tensor& parameter, double value) {
  parameter.mutable_grad() = at::full_like(parameter, value).detach();
}

TEST(TinyUnetRmsProp, StepsAreTensorFlows) {
  // From 0, where float32 holds a ten-thousandth of the tolerance; the steps do not depend on w.
  const at::Tensor w = parameter(at::zeros(1));
  RmsProp optimiser({w}, {});
  const std::vector<double> gradients{1, 1, 0.5, -0.25, 0};
  const std::vector<double> expected{1.005038e-4, 2.827622e-4, 4.819858e-4, 6.135613e-4,
                                     7.188217e-4};
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    set_gradient(w, gradients[i]);
    optimiser.step(1e-4);
    EXPECT_NEAR(-w.item<double>(), expected[i], 1e-9) << "step " << i;
  }
}

TEST(TinyUnetRmsProp, LearningRateIsTheSpecificationsStaircase) {
  const uad::Schedule schedule =
      unet::loop_options(uad::complete_options(unet::option_specs(), json::object())).schedule;
  const std::map<std::int64_t, double> expected{{0, 1e-4},      {499, 1e-4},      {500, 8e-5},
                                                {1000, 6.4e-5}, {2000, 4.096e-5}, {2499, 4.096e-5}};
  for (const auto& [step, rate] : expected) EXPECT_NEAR(schedule.at(step), rate, 1e-12) << step;
}

TEST(TinyUnetRmsProp, ParametersWithoutAGradientStay) {
  const at::Tensor a = parameter(at::ones(3));
  const at::Tensor b = parameter(at::ones(3));
  RmsProp optimiser({a, b}, {.weight_decay = 0.1});
  set_gradient(a, 1);
  optimiser.step(1e-4);
  EXPECT_LT(a.max().item<double>(), 1);
  EXPECT_TRUE(at::equal(b, at::ones(3)));
}

TEST(TinyUnetRmsProp, AnUnchangingGradientStaysANumber) {
  const at::Tensor w = parameter(at::zeros(1));
  RmsProp optimiser({w}, {});
  for (int i = 0; i < 400; ++i) {
    set_gradient(w, 123.456);
    optimiser.step(1e-4);
  }
  EXPECT_TRUE(std::isfinite(w.item<double>()));
}

TEST(TinyUnetRmsProp, WeightDecayIsTheGradientOfItsTerm) {
  const auto step = [](bool in_loss) {
    const at::Tensor w = parameter(at::linspace(-1, 1, 100));
    RmsProp optimiser({w}, {.weight_decay = in_loss ? 0 : 0.1});
    set_gradient(w, 0.01);
    if (in_loss) (0.1 * unet::decay_term({{"w", w}})).backward();
    optimiser.step(0.01);
    return w.detach();
  };
  EXPECT_TRUE(at::allclose(step(true), step(false), 0, 1e-7));
}

TEST(TinyUnetRmsProp, GoesOnFromItsStateBitForBit) {
  const auto run = [](int first, int last, const at::Tensor& w, RmsProp& optimiser) {
    for (int i = first; i < last; ++i) {
      set_gradient(w, std::sin(i));
      optimiser.step(1e-3);
    }
  };
  const at::Tensor whole = parameter(at::ones(70000));
  RmsProp straight({whole}, {});
  run(0, 9, whole, straight);

  const at::Tensor before = parameter(at::ones(70000));
  RmsProp first({before}, {});
  run(0, 5, before, first);
  const at::Tensor after = parameter(before.detach());
  RmsProp second({after}, {});
  const uad::TensorMap kept = first.state();
  EXPECT_EQ(kept.size(), 3U);
  for (auto& [name, tensor] : second.state()) tensor.copy_(kept.at(name));
  run(5, 9, after, second);
  EXPECT_TRUE(at::equal(whole, after));
}

// The whole step on the synthetic set, from the deterministic fill.
struct FirstSteps {
  FirstSteps() {
    for (const auto& [name, tensor] : network.parameters()) tensor.set_requires_grad(true);
  }
  [[nodiscard]] at::Tensor logits() const { return network.logits(set.images); }
  [[nodiscard]] at::Tensor decay() const { return kDecay * unet::decay_term(network.parameters()); }
  [[nodiscard]] at::Tensor total() const {
    return unet::loss("adaptive_loss", logits(), set.masks) + decay();
  }

  unet::Network network{"tinyUNet", uad::test::filled_parameters("tinyUNet")};
  uad::test::LabelledImages set = uad::test::ellipses();
};

TEST(TinyUnetFirstStep, TheSetIsTheSpecifications) {
  const auto set = uad::test::ellipses();
  EXPECT_NEAR(set.masks.mean().item<double>(), 0.0300903, 1e-7);
  EXPECT_NEAR(set.images.mean().item<double>(), -0.0149473, 1e-6);
}

TEST(TinyUnetFirstStep, LossesAndGradientNormAsSpecified) {
  const FirstSteps made;
  const at::Tensor z = made.logits();
  EXPECT_NEAR(unet::loss("dice_sorensen", z, made.set.masks).item<double>(), 0.953288, 1e-4);
  EXPECT_NEAR(unet::loss("adaptive_loss", z, made.set.masks).item<double>(), 0.632637, 1e-4);
  EXPECT_NEAR(made.decay().item<double>(), 0.0167540, 1e-6);
  const at::Tensor total = made.total();
  EXPECT_NEAR(total.item<double>(), 0.649391, 1e-4);
  total.backward();
  double squares = 0;
  for (const auto& [name, tensor] : made.network.parameters()) {
    squares += tensor.grad().square().sum().item<double>();
  }
  EXPECT_NEAR(std::sqrt(squares), 0.919707, 1e-4);
}

TEST(TinyUnetFirstStep, TwoUpdatesLowerTheLossAsSpecified) {
  const FirstSteps made;
  RmsProp optimiser(unet::tensors_of(made.network.parameters()), {.weight_decay = kDecay});
  for (const double expected : {0.649302, 0.649137}) {
    uad::descend(unet::loss("adaptive_loss", made.logits(), made.set.masks), optimiser, 1e-4);
    EXPECT_NEAR(made.total().item<double>(), expected, 2e-5);
  }
}

}  // namespace

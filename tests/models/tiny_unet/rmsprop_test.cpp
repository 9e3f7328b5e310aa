// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/rmsprop.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "models/tiny_unet/initial_weights.h"
#include "models/tiny_unet/network.h"
#include "models/tiny_unet/objective.h"
#include "tests/models/tiny_unet/fixture.h"

namespace {

using uad::models::tiny_unet::RmsProp;

namespace unet = uad::models::tiny_unet;

constexpr double kDecay = 1e-5;

uad::TensorMap trained(uad::TensorMap parameters) {
  for (auto& [name, tensor] : parameters) tensor.set_requires_grad(true);
  return parameters;
}

void set_gradient(const at::Tensor& parameter, double value) {
  parameter.mutable_grad() = at::full_like(parameter, value).detach();
}

TEST(TinyUnetRmsProp, StepsAreTensorFlows) {
  // From 0, where float32 holds a ten-thousandth of the tolerance; the steps do not depend on w.
  const uad::TensorMap parameters = trained({{"w", at::zeros(1)}});
  RmsProp optimiser(parameters, {});
  const std::vector<double> gradients{1, 1, 0.5, -0.25, 0};
  const std::vector<double> expected{1.005038e-4, 2.827622e-4, 4.819858e-4, 6.135613e-4,
                                     7.188217e-4};
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    set_gradient(parameters.at("w"), gradients[i]);
    optimiser.step(1e-4);
    EXPECT_NEAR(-parameters.at("w").item<double>(), expected[i], 1e-9) << "step " << i;
  }
}

TEST(TinyUnetRmsProp, TakesGradientsAwayAndPassesOverThoseMissing) {
  const uad::TensorMap parameters = trained({{"a", at::zeros(3)}, {"b", at::ones(3)}});
  RmsProp optimiser(parameters, {});
  set_gradient(parameters.at("a"), 1);
  optimiser.step(1e-4);
  EXPECT_FALSE(parameters.at("a").grad().defined());
  EXPECT_TRUE(at::equal(parameters.at("b"), at::ones(3)));
}

TEST(TinyUnetRmsProp, AnUnchangingGradientStaysANumber) {
  const uad::TensorMap parameters = trained({{"w", at::zeros(1)}});
  RmsProp optimiser(parameters, {});
  for (int i = 0; i < 400; ++i) {
    set_gradient(parameters.at("w"), 123.456);
    optimiser.step(1e-4);
  }
  EXPECT_TRUE(std::isfinite(parameters.at("w").item<double>()));
}

TEST(TinyUnetRmsProp, WeightDecayIsTheGradientOfItsTerm) {
  const auto step = [](bool in_loss) {
    const uad::TensorMap parameters = trained(unet::initial_weights("tinyUNet", "he_uniform", 3));
    RmsProp optimiser(parameters, {.weight_decay = in_loss ? 0 : 0.1});
    for (const auto& [name, tensor] : parameters) set_gradient(tensor, 0.01);
    if (in_loss) (0.1 * unet::decay_term(parameters)).backward();
    optimiser.step(1e-4);
    return parameters.at("up2.conv1.weight").detach();
  };
  EXPECT_TRUE(at::allclose(step(true), step(false), 0, 1e-8));
}

TEST(TinyUnetRmsProp, GoesOnFromItsStateBitForBit) {
  const auto run = [](int first, int last, const uad::TensorMap& parameters, RmsProp& optimiser) {
    for (int i = first; i < last; ++i) {
      set_gradient(parameters.at("w"), std::sin(i));
      optimiser.step(1e-3);
    }
  };
  const uad::TensorMap whole = trained({{"w", at::ones(70000)}});
  RmsProp straight(whole, {});
  run(0, 9, whole, straight);

  const uad::TensorMap before = trained({{"w", at::ones(70000)}});
  RmsProp first(before, {});
  run(0, 5, before, first);
  const uad::TensorMap after = trained({{"w", before.at("w").detach().clone()}});
  RmsProp second(after, {});
  const uad::TensorMap kept = first.state();
  for (auto& [name, tensor] : second.state()) tensor.copy_(kept.at(name));
  run(5, 9, after, second);
  EXPECT_TRUE(at::equal(whole.at("w"), after.at("w")));
  EXPECT_EQ(kept.size(), 3U);
}

// The whole step on the synthetic set, from the deterministic fill.
struct FirstSteps {
  uad::TensorMap parameters = trained(uad::test::filled_parameters("tinyUNet"));
  unet::Network network{"tinyUNet", parameters};
  uad::test::LabelledImages set = uad::test::ellipses();

  [[nodiscard]] at::Tensor total() const {
    const at::Tensor z = network.logits(set.images);
    return unet::loss("adaptive_loss", z, set.masks) + kDecay * unet::decay_term(parameters);
  }
};

TEST(TinyUnetFirstStep, TheSetIsTheSpecifications) {
  const auto set = uad::test::ellipses();
  EXPECT_NEAR(set.masks.mean().item<double>(), 0.0300903, 1e-7);
  EXPECT_NEAR(set.images.mean().item<double>(), -0.0149473, 1e-6);
}

TEST(TinyUnetFirstStep, LossesAndGradientNormAsSpecified) {
  const FirstSteps made;
  const at::Tensor z = made.network.logits(made.set.images);
  EXPECT_NEAR(unet::loss("dice_sorensen", z, made.set.masks).item<double>(), 0.953288, 1e-4);
  EXPECT_NEAR(unet::loss("adaptive_loss", z, made.set.masks).item<double>(), 0.632637, 1e-4);
  EXPECT_NEAR(kDecay * unet::decay_term(made.parameters).item<double>(), 0.0167540, 1e-6);
  const at::Tensor total = made.total();
  EXPECT_NEAR(total.item<double>(), 0.649391, 1e-4);
  total.backward();
  double squares = 0;
  for (const auto& [name, tensor] : made.parameters) {
    squares += tensor.grad().square().sum().item<double>();
  }
  EXPECT_NEAR(std::sqrt(squares), 0.919707, 1e-4);
}

TEST(TinyUnetFirstStep, TwoUpdatesLowerTheLossAsSpecified) {
  const FirstSteps made;
  RmsProp optimiser(made.parameters, {.weight_decay = kDecay});
  for (const double expected : {0.649302, 0.649137}) {
    unet::loss("adaptive_loss", made.network.logits(made.set.images), made.set.masks).backward();
    optimiser.step(1e-4);
    EXPECT_NEAR(made.total().item<double>(), expected, 2e-5);
  }
}

}  // namespace

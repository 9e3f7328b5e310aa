// SPDX-License-Identifier: LGPL-2.1-or-later
// Training steps against the specification, UF-GAN, section 11.
#include "models/uf_gan/step_losses.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "core/gradient/optimiser.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"
#include "models/uf_gan/statistics.h"
#include "tests/models/uf_gan/fixture.h"

namespace uad::models::uf_gan {
namespace {

std::vector<at::Tensor> trained(const Layout& layout, const TensorMap& weights) {
  std::vector<at::Tensor> tensors;
  for (const Slot& slot : layout.slots()) {
    if (slot.trained()) tensors.push_back(weights.at(slot.name).requires_grad_(true));
  }
  return tensors;
}

double norm_of_gradients(const std::vector<at::Tensor>& tensors) {
  double sum = 0;
  for (const at::Tensor& one : tensors) sum += one.grad().square().sum().item<double>();
  return std::sqrt(sum);
}

TEST(UfGanSteps, TheFirstThreeAreTheSpecifications) {
  const Layout drawing = generator_layout(128, 4);
  const Layout judging = discriminator_layout(128);
  const TensorMap generator = test::uf_gan_fill(drawing);
  const TensorMap discriminator = test::uf_gan_fill(judging);
  const Adam::Options options{.beta1 = 0.5, .epsilon = 1e-7};
  Adam draws(trained(drawing, generator), options);
  Adam judges(trained(judging, discriminator), options);
  const at::Tensor images = test::uf_gan_images(128);
  const std::array generator_losses{31.42056, 20.147, 16.822};
  const std::array discriminator_losses{31.31183, 19.873, 16.548};
  for (std::size_t i = 0; i < 3; ++i) {
    const StepLosses found = step_losses(generator, discriminator, discriminator, images, {});
    const double tolerance = i == 0 ? 1e-3 : 2e-2;
    EXPECT_NEAR(found.figures.at("loss"), generator_losses.at(i),
                tolerance * generator_losses.at(i));
    EXPECT_NEAR(found.figures.at("discriminator_loss"), discriminator_losses.at(i),
                tolerance * discriminator_losses.at(i));
    differentiate(found, draws, judges);
    if (i == 0) {
      EXPECT_NEAR(found.figures.at("reconstruction"), 0.598393, 1e-3 * 0.598393);
      EXPECT_NEAR(found.figures.at("feature"), 0.215115, 1e-3 * 0.215115);
      EXPECT_NEAR(norm_of_gradients(draws.parameters()), 105.4217, 0.1054);
      EXPECT_NEAR(norm_of_gradients(judges.parameters()), 0.28330, 2.8e-4);
    }
    judges.step(0.002);
    draws.step(0.002);
  }
}

TEST(UfGanSteps, TheFirstLevelsFeatureTermIsOffAsPublished) {
  const TensorMap generator = test::uf_gan_fill(generator_layout(64, 4));
  const TensorMap discriminator = test::uf_gan_fill(discriminator_layout(64));
  const at::Tensor images = test::uf_gan_images(64);
  const auto loss = [&](bool feature) {
    return step_losses(generator, discriminator, discriminator, images,
                       {.first_level_feature = feature})
        .figures.at("loss");
  };
  EXPECT_GT(loss(true), loss(false) + 1e-4);
}

/// Everything that a first step leaves behind, by name.
TensorMap after_a_step(StepOptions options, bool snapshot) {
  const Layout drawing = generator_layout(32, 4);
  const Layout judging = discriminator_layout(32);
  const TensorMap generator = initial_weights(drawing, 1);
  const TensorMap discriminator = initial_weights(judging, 2);
  const TensorMap copy = initial_weights(judging, 2);
  Adam draws(trained(drawing, generator), {});
  Adam judges(trained(judging, discriminator), {});
  const StepLosses losses = step_losses(generator, discriminator, snapshot ? copy : discriminator,
                                        test::uf_gan_images(32), options);
  differentiate(losses, draws, judges);
  TensorMap left{{"generator's loss", losses.generator}, {"discriminator's", losses.discriminator}};
  for (const TensorMap* weights : {&generator, &discriminator}) {
    for (const auto& [name, tensor] : *weights) {
      left[name] = tensor.requires_grad() ? tensor.grad() : tensor;
    }
  }
  return left;
}

TEST(UfGanSteps, ComputingPartsAgainChangesNothing) {
  for (const bool corrected : {false, true}) {
    StepOptions options{.first_level_feature = corrected};
    const TensorMap expected = after_a_step(options, corrected);
    options.recompute = true;
    for (const auto& [name, tensor] : after_a_step(options, corrected)) {
      EXPECT_TRUE(tensor.equal(expected.at(name))) << name;
    }
  }
}

/// Scores of images by networks in use.
at::Tensor scores_of(const TensorMap& generator, const TensorMap& discriminator,
                     const at::Tensor& images) {
  const c10::InferenceMode inference;
  const at::Tensor copies = generate(PlainLayers(generator, Pass::kInference), images);
  const auto features = [&](const at::Tensor& of) {
    return discriminate(PlainLayers(discriminator, Pass::kInference), 64, of).features;
  };
  return anomaly_score((images - copies).abs().mean(1, true), features(images), features(copies),
                       {}, 0.7);
}

TEST(UfGanSteps, SixtyStepsRedrawFourImagesAndShowAStripeInThem) {
  const Layout drawing = generator_layout(64, 4);
  const Layout judging = discriminator_layout(64);
  const TensorMap generator = initial_weights(drawing, 1);
  const TensorMap discriminator = initial_weights(judging, 2);
  const Adam::Options options{.beta1 = 0.5, .epsilon = 1e-7};
  Adam draws(trained(drawing, generator), options);
  Adam judges(trained(judging, discriminator), options);
  const at::Tensor images = test::uf_gan_images(64, 4).contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<double> errors;
  for (int step = 0; step <= 60; ++step) {
    const StepLosses found = step_losses(generator, discriminator, discriminator, images, {});
    errors.push_back(found.figures.at("reconstruction"));
    differentiate(found, draws, judges);
    judges.step(0.002);
    draws.step(0.002);
  }
  EXPECT_NEAR(errors.front(), 0.59, 0.15);
  EXPECT_LT(errors[20], 0.15);
  EXPECT_LT(errors[60], 0.08);

  reestimate(generator, discriminator, 64, images);
  const at::Tensor clean = scores_of(generator, discriminator, images);
  for (const double stripe : {0.8, -0.8}) {
    for (const std::int64_t axis : {2, 3}) {
      at::Tensor changed = images.clone();
      changed.slice(axis, 24, 40).add_(stripe);
      const at::Tensor rise = scores_of(generator, discriminator, changed) - clean;
      EXPECT_GT(rise.min().item<double>(), 0.03) << stripe << " along " << axis;
    }
  }
  EXPECT_GT(clean.min().item<double>(), 0.05);
  EXPECT_LT(clean.max().item<double>(), 0.25);
}

TEST(Reptile, GoesAShareOfTheWayRunningStatisticsIncluded) {
  const TensorMap before{{"a.weight", at::ones({2})}, {"a.running_mean", at::ones({2})}};
  for (const auto& [iteration, expected] : {std::pair{0.0, 1.5}, {750.0, 1.25}}) {
    const TensorMap weights{{"a.weight", at::full({2}, 3.0)},
                            {"a.running_mean", at::full({2}, 3.0)}};
    step_from(before, 0.25 * (1 - iteration / 1500), weights);
    for (const auto& [name, tensor] : weights) {
      EXPECT_NEAR(tensor[0].item<double>(), expected, 1e-6) << name;
    }
  }
}

}  // namespace
}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/step_losses.h"

#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/distributed/shared_batch.h"
#include "core/gradient/mixed_precision.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"
#include "models/uf_gan/recomputed_layers.h"

namespace uad::models::uf_gan {

namespace {

std::unique_ptr<const Layers> layers_of(const TensorMap& weights, Pass pass,
                                        const StepOptions& options) {
  if (options.recompute) return std::make_unique<RecomputedLayers>(weights, pass, options.mixed);
  return std::make_unique<PlainLayers>(weights, pass);
}

at::Tensor drawn(const TensorMap& generator, const at::Tensor& images, const StepOptions& options) {
  const MixedPrecision mixed(options.mixed, images.device().type());
  return generate(*layers_of(generator, Pass::kTraining, options), images).to(at::kFloat);
}

/// The whole network is one part: what is between its blocks takes more room than time.
Judgement judged(const TensorMap& judge, Pass pass, const at::Tensor& images,
                 const StepOptions& options) {
  const MixedPrecision mixed(options.mixed, images.device().type());
  std::vector<at::Tensor> found =
      layers_of(judge, pass, options)
          ->part("", {images}, [](const Layers& layers, const auto& inputs) {
            Judgement judgement = discriminate(layers, inputs[0].size(2), inputs[0]);
            judgement.features.push_back(judgement.probability);
            return judgement.features;
          });
  for (at::Tensor& one : found) one = one.to(at::kFloat);
  const at::Tensor probability = found.back();
  found.pop_back();
  return {std::move(found), probability};
}

}  // namespace

StepLosses step_losses(const TensorMap& generator, const TensorMap& discriminator,
                       const TensorMap& second, const at::Tensor& images,
                       const StepOptions& options) {
  const at::Tensor copies = drawn(generator, images, options);
  // The order matters: the running statistics follow the images first, then the copies.
  const Judgement real1 = judged(discriminator, Pass::kTraining, images, options);
  const Judgement fake1 = judged(discriminator, Pass::kTraining, copies, options);
  const Judgement real2 = judged(second, Pass::kInference, images, options);
  const Judgement fake2 = judged(second, Pass::kInference, copies, options);

  const Adversarial first = adversarial(real1.probability, fake1.probability);
  const Adversarial later = adversarial(real2.probability, fake2.probability);
  const at::Tensor absolute = kReconstructionWeight * (images - copies).abs().mean();
  const at::Tensor smooth = charbonnier(images, copies);
  const at::Tensor reconstruction = kReconstructionWeight * smooth;
  const at::Tensor feature = multi_feature(real2.features, fake2.features);

  at::Tensor first_generator = first.generator + absolute;
  if (options.first_level_feature) {
    first_generator =
        first_generator + multi_feature({real1.features.back()}, {fake1.features.back()});
  }
  StepLosses losses;
  losses.generator = (first_generator + later.generator + reconstruction + feature) / 2;
  // What the copies cost has no gradient in the discriminator; it is part of the figure alone.
  losses.discriminator =
      (first.discriminator + absolute + later.discriminator + reconstruction) / 2;
  losses.figures = {{"loss", losses.generator.item<double>()},
                    {"discriminator_loss", losses.discriminator.item<double>()},
                    {"feature", feature.item<double>()},
                    {"reconstruction", smooth.item<double>()}};
  return losses;
}

void differentiate(const StepLosses& losses, const Optimiser& generator,
                   const Optimiser& discriminator) {
  clear_gradients(generator);
  clear_gradients(discriminator);
  weighted_by_share(losses.generator)
      .backward({}, /*retain_graph=*/true, false, at::TensorList(generator.parameters()));
  weighted_by_share(losses.discriminator)
      .backward({}, false, false, at::TensorList(discriminator.parameters()));
  sum_gradients_over_batch(generator.parameters());
  sum_gradients_over_batch(discriminator.parameters());
}

void step_from(const TensorMap& before, double step, const TensorMap& weights) {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : weights) {
    tensor.copy_(at::lerp(before.at(name), tensor, step));
  }
}

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/step_losses.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/gradient/mixed_precision.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"

namespace uad::models::uf_gan {

namespace {

at::Tensor drawn(const TensorMap& generator, const at::Tensor& images, bool mixed_precision) {
  const MixedPrecision mixed(mixed_precision, images.device().type());
  return generate(PlainLayers(generator, Pass::kTraining), images).to(at::kFloat);
}

Judgement in_float(Judgement judgement) {
  for (at::Tensor& feature : judgement.features) feature = feature.to(at::kFloat);
  judgement.probability = judgement.probability.to(at::kFloat);
  return judgement;
}

}  // namespace

StepLosses step_losses(const TensorMap& generator, const TensorMap& discriminator,
                       const TensorMap& second, const at::Tensor& images,
                       const StepOptions& options) {
  const auto judged = [&](const TensorMap& judge, const at::Tensor& of, Pass pass) {
    const MixedPrecision mixed(options.mixed, of.device().type());
    return in_float(discriminate(PlainLayers(judge, pass), images.size(2), of));
  };
  const at::Tensor copies = drawn(generator, images, options.mixed);
  // The order matters: the running statistics follow the images first, then the copies.
  const Judgement real1 = judged(discriminator, images, Pass::kTraining);
  const Judgement fake1 = judged(discriminator, copies, Pass::kTraining);
  const Judgement real2 = judged(second, images, Pass::kInference);
  const Judgement fake2 = judged(second, copies, Pass::kInference);

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
  losses.generator.backward({}, /*retain_graph=*/true, false,
                            at::TensorList(generator.parameters()));
  losses.discriminator.backward({}, false, false, at::TensorList(discriminator.parameters()));
}

void step_from(const TensorMap& before, double step, const TensorMap& weights) {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : weights) {
    tensor.copy_(at::lerp(before.at(name), tensor, step));
  }
}

}  // namespace uad::models::uf_gan

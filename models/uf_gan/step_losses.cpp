// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/step_losses.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"

namespace uad::models::uf_gan {

StepLosses step_losses(const TensorMap& generator, const TensorMap& discriminator,
                       const TensorMap& second, const at::Tensor& images,
                       bool first_level_feature) {
  const at::Tensor copies = generate(generator, images, Pass::kTraining);
  // The order matters: the running statistics follow the images first, then the copies.
  const Judgement real1 = discriminate(discriminator, images, Pass::kTraining);
  const Judgement fake1 = discriminate(discriminator, copies, Pass::kTraining);
  const Judgement real2 = discriminate(second, images, Pass::kInference);
  const Judgement fake2 = discriminate(second, copies, Pass::kInference);

  const Adversarial first = adversarial(real1.probability, fake1.probability);
  const Adversarial later = adversarial(real2.probability, fake2.probability);
  const at::Tensor absolute = kReconstructionWeight * (images - copies).abs().mean();
  const at::Tensor smooth = charbonnier(images, copies);
  const at::Tensor reconstruction = kReconstructionWeight * smooth;
  const at::Tensor feature = multi_feature(real2.features, fake2.features);

  at::Tensor first_generator = first.generator + absolute;
  if (first_level_feature) {
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

void step_from(const TensorMap& before, double step, const TensorMap& weights) {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : weights) {
    tensor.copy_(at::lerp(before.at(name), tensor, step));
  }
}

}  // namespace uad::models::uf_gan

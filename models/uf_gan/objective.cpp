// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/objective.h"

#include <ATen/ATen.h>

#include "core/distributed/shared_batch.h"
#include "core/patch_map.h"

namespace uad::models::uf_gan {

namespace {

// The mean of -log(sigmoid(likely)) - log(1 - sigmoid(unlikely)), kept finite as published.
at::Tensor log_loss(const at::Tensor& likely, const at::Tensor& unlikely) {
  constexpr double kEpsilon = 1e-6;
  return -((likely.sigmoid() + kEpsilon).log() + (1 - unlikely.sigmoid() + kEpsilon).log()).mean();
}

// [1, …] of [N, …].
at::Tensor mean_over_samples(const at::Tensor& x) {
  if (!batch_is_shared()) return x.mean(0, /*keepdim=*/true);
  return sum_over_batch(x.sum(0, /*keepdim=*/true)) /
         static_cast<double>(current_batch().share.total);
}

// Of each image; 0 where nothing is kept. @param keep  undefined = all.
at::Tensor mean_of_kept(const at::Tensor& values, const at::Tensor& keep) {
  if (!keep.defined()) return values.flatten(1).mean(1).to(at::kFloat);
  const at::Tensor weights = keep.to(values.options());
  return ((values * weights).flatten(1).sum(1) / weights.flatten(1).sum(1).clamp_min(1))
      .to(at::kFloat);
}

}  // namespace

Adversarial adversarial(const at::Tensor& real, const at::Tensor& fake) {
  const at::Tensor more_real = real - mean_over_samples(fake);
  const at::Tensor more_fake = fake - mean_over_samples(real);
  return {log_loss(more_fake, more_real), log_loss(more_real, more_fake)};
}

at::Tensor charbonnier(const at::Tensor& images, const at::Tensor& copies) {
  constexpr double kSmooth = 1e-6;
  return ((images - copies).square() + kSmooth).sqrt().mean();
}

at::Tensor multi_feature(const std::vector<at::Tensor>& real, const std::vector<at::Tensor>& fake) {
  at::Tensor sum;
  for (std::size_t i = 0; i < real.size(); ++i) {
    const at::Tensor error = (real[i] - fake[i]).square().mean();
    sum = sum.defined() ? sum + error : error;
  }
  return sum;
}

at::Tensor anomaly_score(const at::Tensor& error, const std::vector<at::Tensor>& real,
                         const std::vector<at::Tensor>& fake, const at::Tensor& keep,
                         double weight) {
  at::Tensor features = at::zeros({error.size(0)}, error.options());
  for (std::size_t i = 0; i < real.size(); ++i) {
    const at::Tensor difference =
        (real[i] - fake[i]).to(at::kFloat).square().mean(1, /*keepdim=*/true);
    const at::Tensor kept = kept_patches(keep, difference.size(2), difference.size(3));
    features = features + mean_of_kept(difference, kept.defined() ? kept.unsqueeze(1) : kept);
  }
  return weight * mean_of_kept(error, keep) + (1 - weight) * features;
}

}  // namespace uad::models::uf_gan

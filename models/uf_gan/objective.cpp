// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/objective.h"

#include <ATen/ATen.h>

namespace uad::models::uf_gan {

namespace {

// The mean of -log(sigmoid(likely)) - log(1 - sigmoid(unlikely)), kept finite as published.
at::Tensor log_loss(const at::Tensor& likely, const at::Tensor& unlikely) {
  constexpr double kEpsilon = 1e-6;
  return -((likely.sigmoid() + kEpsilon).log() + (1 - unlikely.sigmoid() + kEpsilon).log()).mean();
}

}  // namespace

Adversarial adversarial(const at::Tensor& real, const at::Tensor& fake) {
  const at::Tensor more_real = real - fake.mean(0, /*keepdim=*/true);
  const at::Tensor more_fake = fake - real.mean(0, /*keepdim=*/true);
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

at::Tensor anomaly_score(const at::Tensor& images, const at::Tensor& copies,
                         const std::vector<at::Tensor>& real, const std::vector<at::Tensor>& fake,
                         double weight) {
  at::Tensor features = at::zeros({images.size(0)}, images.options().dtype(at::kFloat));
  for (std::size_t i = 0; i < real.size(); ++i) {
    features = features + (real[i] - fake[i]).square().flatten(1).mean(1);
  }
  return weight * (images - copies).abs().flatten(1).mean(1) + (1 - weight) * features;
}

}  // namespace uad::models::uf_gan

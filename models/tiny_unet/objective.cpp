// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/objective.h"

#include <ATen/ATen.h>

#include "core/distributed/shared_batch.h"

namespace uad::models::tiny_unet {

namespace {

constexpr double kClip = 1e-7;

at::Tensor adaptive(const at::Tensor& z, const at::Tensor& t) {
  const at::Tensor distance = 1 - dice(z.sigmoid(), t);
  if (distance.item<double>() < kAdaptiveSwitch) return distance;
  return cross_entropy_with_logits(z, t);
}

}  // namespace

at::Tensor dice(const at::Tensor& p, const at::Tensor& t) {
  const at::Tensor sums = sum_over_batch(at::stack({(p * t).sum(), p.sum() + t.sum()}));
  return (2 * sums[0] + 1) / (sums[1] + 1);
}

at::Tensor squared_dice(const at::Tensor& p, const at::Tensor& t) {
  const at::Tensor sums =
      sum_over_batch(at::stack({(p * t).sum(), p.square().sum() + t.square().sum()}));
  return (2 * sums[0] + 1) / (sums[1] + 1);
}

at::Tensor cross_entropy(const at::Tensor& p, const at::Tensor& t) {
  return mean_over_batch(
      at::binary_cross_entropy(p.clamp(kClip, 1 - kClip), t, {}, at::Reduction::None));
}

at::Tensor cross_entropy_with_logits(const at::Tensor& z, const at::Tensor& t) {
  return mean_over_batch(at::binary_cross_entropy_with_logits(z, t, {}, {}, at::Reduction::None));
}

at::Tensor half_squared_error(const at::Tensor& p, const at::Tensor& t) {
  return sum_over_batch((p - t).square().sum()) / 2;
}

const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> names{"adaptive_loss", "dice_sorensen", "dice_jaccard",
                                              "x-entropy", "l2_loss"};
  return names;
}

at::Tensor loss(const std::string& name, const at::Tensor& z, const at::Tensor& t) {
  if (name == "adaptive_loss") return adaptive(z, t);
  if (name == "dice_sorensen") return 1 - dice(z.sigmoid(), t);
  if (name == "dice_jaccard") return 1 - squared_dice(z.sigmoid(), t);
  if (name == "x-entropy") return cross_entropy(z.sigmoid(), t);
  return half_squared_error(z.sigmoid(), t);
}

at::Tensor decay_term(const TensorMap& parameters) {
  at::Tensor sum;
  for (const auto& [name, tensor] : parameters) {
    const at::Tensor squares = tensor.square().sum();
    sum = sum.defined() ? sum + squares : squares;
  }
  return sum / 2;
}

}  // namespace uad::models::tiny_unet

// SPDX-License-Identifier: LGPL-2.1-or-later
// The three losses and their two levels. Source: specification, UF-GAN, section 6.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::uf_gan {

inline constexpr double kReconstructionWeight = 50;

struct Adversarial {
  at::Tensor generator;
  at::Tensor discriminator;
};
/// Relativistic average; the probabilities go through a second sigmoid, as published.
/// @param real, fake  [N, 1, h, w], probabilities of images and of their copies. @return scalars.
[[nodiscard]] Adversarial adversarial(const at::Tensor& real, const at::Tensor& fake);

/// Mean of sqrt(d^2 + 1e-6).
[[nodiscard]] at::Tensor charbonnier(const at::Tensor& images, const at::Tensor& copies);

/// Sum over blocks of the mean squared difference.
[[nodiscard]] at::Tensor multi_feature(const std::vector<at::Tensor>& real,
                                       const std::vector<at::Tensor>& fake);

/// Anomaly score of each image: `weight` of the mean absolute error and the rest of the feature
/// error. Source: section 8.
/// @param error  [N, 1, H, W], absolute, the mean over channels.
/// @param keep  uint8 [N, 1, H, W], 0 = no part of the means; undefined = all.
/// @param weight  0 … 1. @return [N].
[[nodiscard]] at::Tensor anomaly_score(const at::Tensor& error, const std::vector<at::Tensor>& real,
                                       const std::vector<at::Tensor>& fake, const at::Tensor& keep,
                                       double weight);

}  // namespace uad::models::uf_gan

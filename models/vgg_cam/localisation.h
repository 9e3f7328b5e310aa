// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a classifier looks: class activation maps. Source: Zhou et al., "Learning Deep Features for
// Discriminative Localization" (arXiv 1512.04150).
#pragma once

#include <ATen/core/Tensor.h>

namespace uad::models::vgg_cam {

/// How much each place speaks for each class; the head's bias is left out.
/// @param features  [N, C, h, w]. @param weight  of the head, [K, C]. @return float32 [N, K, h, w].
[[nodiscard]] at::Tensor class_maps(const at::Tensor& features, const at::Tensor& weight);

/// Class maps enlarged to the image (bilinear, half-pixel centres), each stretched to 0…1 over the
/// pixels that count; a constant one is 0 everywhere.
/// @param maps  float32 [N, K, h, w]. @param keep  uint8 [N, 1, height, width]: pixels that count,
/// the others become 0; undefined = all. @return float32 [N, K, height, width].
[[nodiscard]] at::Tensor heat_maps(const at::Tensor& maps, std::int64_t height, std::int64_t width,
                                   const at::Tensor& keep = {});

}  // namespace uad::models::vgg_cam

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/objective.h"

#include <ATen/ATen.h>

namespace uad::models::vgg_cam {

at::Tensor weighted_cross_entropy(const at::Tensor& scores, const at::Tensor& labels,
                                  const at::Tensor& class_weight) {
  return at::cross_entropy_loss(scores, labels, class_weight);
}

}  // namespace uad::models::vgg_cam

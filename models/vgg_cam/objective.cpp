// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/objective.h"

#include <ATen/ATen.h>

#include "core/distributed/shared_batch.h"

namespace uad::models::vgg_cam {

at::Tensor weighted_cross_entropy(const at::Tensor& scores, const at::Tensor& labels,
                                  const at::Tensor& class_weight) {
  const at::Tensor sum = at::cross_entropy_loss(scores, labels, class_weight, at::Reduction::Sum);
  return sum_over_batch(sum) / sum_over_batch(class_weight.index_select(0, labels).sum());
}

}  // namespace uad::models::vgg_cam

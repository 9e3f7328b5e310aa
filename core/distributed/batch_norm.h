// SPDX-License-Identifier: LGPL-2.1-or-later
// Batch norm for networks in training: with the statistics of the whole batch, whichever process
// has its samples.
#pragma once

#include <ATen/core/Tensor.h>

namespace uad {

/// The tensors of a batch norm, of one number a channel each; weight, bias and statistics may be
/// undefined. The statistics are overwritten in training.
struct NormTensors {
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor mean;
  at::Tensor variance;
};

/// As at::batch_norm. @param x  [N, C, …]. @param training  by the statistics of the batch, which
/// the stored ones follow by the share `momentum`; otherwise by the stored ones.
[[nodiscard]] at::Tensor batch_norm(const at::Tensor& x, const NormTensors& norm, bool training,
                                    double momentum, double epsilon, bool cudnn = true);

}  // namespace uad

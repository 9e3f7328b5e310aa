// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/scoring.h"

#include <ATen/ATen.h>

namespace uad::models::tiny_unet {

Prediction score(const at::Tensor& logits, const at::Tensor& keep) {
  at::Tensor map = logits.sigmoid().to(at::kCPU).contiguous();
  if (keep.defined()) map = map.masked_fill(keep == 0, 0);
  at::Tensor maximum = map.flatten(1).amax(1);
  return {std::move(map), std::move(maximum)};
}

}  // namespace uad::models::tiny_unet

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/layers.h"

#include <ATen/ATen.h>

namespace uad::models::iuf {

at::Tensor linear(const TensorMap& weights, const std::string& name, const at::Tensor& x) {
  return at::linear(x, weights.at(name + ".weight"), weights.at(name + ".bias"));
}

at::Tensor layer_norm(const TensorMap& weights, const std::string& name, const at::Tensor& x) {
  return at::layer_norm(x, {x.size(-1)}, weights.at(name + ".weight"), weights.at(name + ".bias"),
                        kNormEpsilon);
}

}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/layers.h"

#include <ATen/ATen.h>

namespace uad::models::uf_gan {

const at::Tensor& Layers::weight(const std::string& name) const {
  return weights_.at(name + ".weight");
}

at::Tensor Layers::bias(const std::string& name) const {
  const auto found = weights_.find(name + ".bias");
  return found == weights_.end() ? at::Tensor() : found->second;
}

at::Tensor Layers::conv(const at::Tensor& x, const std::string& name, std::int64_t stride,
                        std::int64_t padding, std::int64_t groups) const {
  return at::conv2d(x, weight(name), bias(name), stride, padding, 1, groups);
}

// An even kernel with k / 2 zeros on every side gives one row and one column too many, in front;
// leaving them out is a view, while uneven zeros would copy the whole input.
at::Tensor Layers::conv_same(const at::Tensor& x, const std::string& name) const {
  const std::int64_t kernel = weight(name).size(2);
  const at::Tensor y = conv(x, name, 1, kernel / 2);
  return kernel % 2 == 0 ? y.slice(2, 1).slice(3, 1) : y;
}

at::Tensor Layers::conv_half(const at::Tensor& x, const std::string& name,
                             std::int64_t groups) const {
  return conv(at::constant_pad_nd(x, {0, 1, 0, 1}), name, 2, 1, groups);
}

at::Tensor Layers::conv_transposed(const at::Tensor& x, const std::string& name) const {
  return at::conv_transpose2d(x, weight(name), bias(name), 2, 1);
}

at::Tensor Layers::norm(const at::Tensor& x, const std::string& name, double epsilon) const {
  const auto scale = weights_.find(name + ".weight");
  return at::batch_norm(x, scale == weights_.end() ? at::Tensor() : scale->second, bias(name),
                        weights_.at(name + ".running_mean"), weights_.at(name + ".running_var"),
                        pass_ == Pass::kTraining, momentum_, epsilon, /*cudnn_enabled=*/true);
}

}  // namespace uad::models::uf_gan

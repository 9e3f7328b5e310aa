// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/layers.h"

#include <ATen/ATen.h>

#include "core/distributed/batch_norm.h"

namespace uad::models::uf_gan {

namespace {

/// Where it is nobody's view, `x` is overwritten, so that it is not kept for the backward pass.
at::Tensor leaky(at::Tensor x, double slope) {
  if (slope == 1) return x;
  return x.is_view() ? at::leaky_relu(x, slope) : at::leaky_relu_(x, slope);
}

}  // namespace

std::vector<at::Tensor> Layers::part(const std::string& /*prefix*/,
                                     const std::vector<at::Tensor>& inputs, const Part& run) const {
  return run(*this, inputs);
}

std::int64_t zeros_around(const Conv& conv, std::int64_t kernel) {
  switch (conv.padding) {
    case Conv::Padding::kSame:
      return kernel / 2;
    case Conv::Padding::kHalf:
      return 1;
    case Conv::Padding::kEven:
      break;
  }
  return conv.zeros;
}

at::Tensor padded(const at::Tensor& x, const Conv& conv) {
  return conv.padding == Conv::Padding::kHalf ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x;
}

// An even kernel with k / 2 zeros on every side gives one row and one column too many, in front;
// leaving them out is a view, while uneven zeros would copy the whole input.
at::Tensor cut_to_size(const at::Tensor& y, const Conv& conv, std::int64_t kernel) {
  const bool too_large = conv.padding == Conv::Padding::kSame && kernel % 2 == 0;
  return too_large ? y.slice(2, 1).slice(3, 1) : y;
}

at::Tensor PlainLayers::optional(const std::string& name) const {
  const auto found = weights_.find(name);
  return found == weights_.end() ? at::Tensor() : found->second;
}

at::Tensor PlainLayers::linear(const at::Tensor& x, const Conv& conv) const {
  const at::Tensor& weight = weights_.at(conv.name + ".weight");
  const std::int64_t kernel = weight.size(2);
  const auto convolve = [&](const at::Tensor& input) {
    return at::conv2d(padded(input, conv), weight, optional(conv.name + ".bias"), conv.stride,
                      zeros_around(conv, kernel), 1, conv.groups);
  };
  at::Tensor y;
  if (conv.groups > 1) {  // slower in bfloat16 than in float32, backwards by a factor of ten
    const c10::impl::ExcludeDispatchKeyGuard no_mixed_precision(c10::autocast_dispatch_keyset);
    y = convolve(x.to(weight.scalar_type()));
  } else {
    y = convolve(x);
  }
  const at::Tensor cut = cut_to_size(y, conv, kernel);
  return conv.norm.empty() ? cut : norm(cut, conv.norm, conv.epsilon, 1);
}

at::Tensor PlainLayers::conv(const at::Tensor& x, const Conv& conv) const {
  return leaky(linear(x, conv), conv.slope);
}

at::Tensor PlainLayers::conv_added(at::Tensor sum, const at::Tensor& x, const Conv& conv) const {
  return leaky(linear(x, conv) + sum, conv.slope);
}

at::Tensor PlainLayers::up(const at::Tensor& x, const Conv& conv) const {
  const at::Tensor y = at::conv_transpose2d(x, weights_.at(conv.name + ".weight"),
                                            optional(conv.name + ".bias"), 2, 1);
  return norm(y, conv.norm, conv.epsilon, 1);
}

at::Tensor PlainLayers::norm(const at::Tensor& x, const std::string& name, double epsilon,
                             double slope) const {
  const bool follow = pass_ != Pass::kRepeated;
  const auto statistic = [&](const char* which) {
    return follow ? weights_.at(name + which) : at::Tensor();
  };
  return leaky(batch_norm(x,
                          {optional(name + ".weight"), optional(name + ".bias"),
                           statistic(".running_mean"), statistic(".running_var")},
                          pass_ != Pass::kInference, momentum_, epsilon),
               slope);
}

}  // namespace uad::models::uf_gan

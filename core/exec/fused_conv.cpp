// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/fused_conv.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/conv/direct_conv.h"
#include "core/exec/conv/winograd_conv.h"
#include "core/exec/one_dnn_conv.h"

namespace uad {

namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;
using Pair = std::array<std::int64_t, 2>;

bool our_kernels_take(const at::Tensor& weight, const ConvOptions& options) {
  static const bool pay = conv::tiles_pay();
  return pay && weight.is_cpu() && weight.scalar_type() == at::kFloat && options.groups == 1 &&
         options.activation != Activation::kSwish && weight.size(2) == weight.size(3);
}

void activate(at::Tensor& y, const ConvOptions& options) {
  if (options.activation == Activation::kRelu) y.relu_();
  if (options.activation == Activation::kRelu6) y.clamp_(0, 6);
  if (options.activation == Activation::kLeakyRelu) at::leaky_relu_(y, options.slope);
  if (options.activation == Activation::kSwish) at::silu_(y);
}

conv::Finish finish_of(const ConvOptions& options, const at::Tensor& bias, bool add) {
  conv::Finish finish{.bias = bias.const_data_ptr<float>(), .add = add};
  if (options.activation == Activation::kRelu || options.activation == Activation::kRelu6) {
    finish.low = 0;
  }
  if (options.activation == Activation::kRelu6) finish.high = 6;
  if (options.activation == Activation::kLeakyRelu) {
    finish.slope = static_cast<float>(options.slope);
  }
  return finish;
}

}  // namespace

ConvWeights fold_batch_norm(const at::Tensor& weight, const BatchNorm& norm) {
  const at::Tensor scale = norm.weight / at::sqrt(norm.running_var + norm.eps);
  return {weight * scale.view({-1, 1, 1, 1}), norm.bias - norm.running_mean * scale};
}

FusedConv::FusedConv(const ConvWeights& weights, const ConvOptions& options,
                     at::TensorOptions place)
    : options_(options), bias_(weights.bias.to(place).contiguous()) {
  const at::Tensor weight = weights.weight.to(place);
  std::ranges::copy(weight.sizes(), shape_.begin());
  if (our_kernels_take(weight, options_)) {
    const at::Tensor plain = weight.contiguous();
    const auto* values = plain.const_data_ptr<float>();
    if (shape_[2] == 3 && options_.stride == 1 && conv::WinogradConv::takes(shape_[0], shape_[1])) {
      winograd_ = std::make_shared<conv::WinogradConv>(values, shape_[0], shape_[1]);
    } else {
      direct_ = std::make_shared<conv::DirectConv>(values, shape_[0], shape_[1], shape_[2]);
    }
    return;
  }
  const at::Tensor last = weight.contiguous(kLast);
  if (last.is_cpu() && OneDnnConv::takes(last.scalar_type())) {
    one_dnn_ = std::make_shared<OneDnnConv>(last, bias_, options_);
  } else {
    weight_ = last;
  }
}

at::Tensor FusedConv::operator()(const at::Tensor& x) const {
  if (one_dnn_) return one_dnn_->run(x);
  at::Tensor y;
  if (computes_itself()) {
    compute_into(y, x, false);
  } else {
    y = at::conv2d(x, weight_, bias_, Pair{options_.stride, options_.stride},
                   Pair{options_.padding, options_.padding}, Pair{1, 1}, options_.groups);
    activate(y, options_);
  }
  return y;
}

void FusedConv::add_into(at::Tensor& sum, const at::Tensor& x) const {
  if (one_dnn_) {
    one_dnn_->add_into(sum, x);
  } else if (computes_itself()) {
    compute_into(sum, x, true);
  } else {
    sum.add_(at::conv2d(x, weight_, bias_, Pair{options_.stride, options_.stride},
                        Pair{options_.padding, options_.padding}, Pair{1, 1}, options_.groups));
    activate(sum, options_);
  }
}

void FusedConv::compute_into(at::Tensor& y, const at::Tensor& input, bool add) const {
  if (input.dim() != 4 || input.size(1) != shape_[1] || input.scalar_type() != at::kFloat) {
    throw Error(
        ErrorCode::kShapeMismatch,
        fmt::format("A convolution expects float32 [N, {}, H, W], but receives {} [{}].", shape_[1],
                    c10::toString(input.scalar_type()), fmt::join(input.sizes(), ", ")));
  }
  const at::Tensor x = input.contiguous(kLast);
  const conv::Geometry geometry{.batch = x.size(0),
                                .height = x.size(2),
                                .width = x.size(3),
                                .channels = shape_[1],
                                .out_channels = shape_[0],
                                .kernel = shape_[2],
                                .stride = options_.stride,
                                .padding = options_.padding};
  const std::array<std::int64_t, 4> sizes{geometry.batch, shape_[0], geometry.out_height(),
                                          geometry.out_width()};
  if (!add) y = at::empty(sizes, x.options().memory_format(kLast));
  if (y.sizes() != at::IntArrayRef(sizes) || !y.is_contiguous(kLast)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A convolution of [{}] cannot be added to [{}].",
                            fmt::join(sizes, ", "), fmt::join(y.sizes(), ", ")));
  }
  const conv::Finish finish = finish_of(options_, bias_, add);
  auto* values = y.mutable_data_ptr<float>();
  if (winograd_) {
    winograd_->run(geometry, x.const_data_ptr<float>(), values, finish);
  } else {
    direct_->run(geometry, x.const_data_ptr<float>(), values, finish);
  }
}

}  // namespace uad

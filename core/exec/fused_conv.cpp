// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/fused_conv.h"

#include <array>
#include <optional>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "core/exec/compute_type.h"

namespace uad {

namespace {

using Ints = at::IntArrayRef;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;

using Reorder = at::Tensor(const at::Tensor&, Ints, Ints, Ints, std::int64_t,
                           at::OptionalIntArrayRef);
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             Ints, Ints, Ints, std::int64_t, std::string_view, Scalars, Text);
using Binary = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const std::optional<at::Tensor>&, Ints, Ints, Ints, std::int64_t,
                           std::string_view, std::optional<at::Scalar>, Text, Scalars, Text);

// Operators that LibTorch registers but does not declare in any header.
struct OneDnn {
  c10::TypedOperatorHandle<Reorder> reorder;
  c10::TypedOperatorHandle<Pointwise> pointwise;
  c10::TypedOperatorHandle<Binary> add_into;
};

template <class Signature>
std::optional<c10::TypedOperatorHandle<Signature>> find(const char* name, const char* overload) {
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle) return std::nullopt;
  return handle->typed<Signature>();
}

// Nothing where this LibTorch was built without oneDNN.
const std::optional<OneDnn>& one_dnn() {
  static const std::optional<OneDnn> operators = []() -> std::optional<OneDnn> {
    const auto reorder = find<Reorder>("mkldnn::_reorder_convolution_weight", "");
    const auto pointwise = find<Pointwise>("mkldnn::_convolution_pointwise", "");
    const auto add_into = find<Binary>("mkldnn::_convolution_pointwise_", "binary");
    if (!reorder || !pointwise || !add_into || !at::globalContext().userEnabledMkldnn())
      return std::nullopt;
    return OneDnn{*reorder, *pointwise, *add_into};
  }();
  return operators;
}

bool one_dnn_takes(at::ScalarType type) {
  return type == at::kFloat || (type == at::kBFloat16 && cpu_computes_bf16());
}

constexpr std::array<std::int64_t, 2> kNoDilation{1, 1};

const char* one_dnn_name(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kRelu6:
      return "hardtanh";
    case Activation::kLeakyRelu:
      return "leaky_relu";
    case Activation::kSwish:
      return "swish";
    case Activation::kNone:
      break;
  }
  return "none";
}

Scalars one_dnn_numbers(const ConvOptions& options) {
  Scalars numbers;
  if (options.activation == Activation::kRelu6) {
    numbers.push_back(at::Scalar(0.0));
    numbers.push_back(at::Scalar(6.0));
  }
  if (options.activation == Activation::kLeakyRelu) numbers.push_back(at::Scalar(options.slope));
  return numbers;
}

void activate(at::Tensor& y, const ConvOptions& options) {
  if (options.activation == Activation::kRelu) y.relu_();
  if (options.activation == Activation::kRelu6) y.clamp_(0, 6);
  if (options.activation == Activation::kLeakyRelu) at::leaky_relu_(y, options.slope);
  if (options.activation == Activation::kSwish) at::silu_(y);
}

}  // namespace

ConvWeights fold_batch_norm(const at::Tensor& weight, const BatchNorm& norm) {
  const at::Tensor scale = norm.weight / at::sqrt(norm.running_var + norm.eps);
  return {weight * scale.view({-1, 1, 1, 1}), norm.bias - norm.running_mean * scale};
}

FusedConv::FusedConv(const ConvWeights& weights, const ConvOptions& options,
                     at::TensorOptions place)
    : options_(options),
      weight_(weights.weight.to(place).contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(weights.bias.to(place).contiguous()) {
  if (!weight_.is_cpu() || !one_dnn() || !one_dnn_takes(weight_.scalar_type())) return;
  const std::array<std::int64_t, 2> stride{options_.stride, options_.stride};
  const std::array<std::int64_t, 2> padding{options_.padding, options_.padding};
  weight_ = one_dnn()->reorder.call(weight_, padding, stride, kNoDilation, options_.groups,
                                    options_.likely_input.empty()
                                        ? std::nullopt
                                        : at::OptionalIntArrayRef(options_.likely_input));
  packed_ = true;
}

at::Tensor FusedConv::operator()(const at::Tensor& x) const {
  const std::array<std::int64_t, 2> stride{options_.stride, options_.stride};
  const std::array<std::int64_t, 2> padding{options_.padding, options_.padding};
  if (!packed_) {
    at::Tensor y = at::conv2d(x, weight_, bias_, stride, padding, kNoDilation, options_.groups);
    activate(y, options_);
    return y;
  }
  return one_dnn()->pointwise.call(x, weight_, bias_, padding, stride, kNoDilation, options_.groups,
                                   one_dnn_name(options_.activation), one_dnn_numbers(options_),
                                   "");
}

void FusedConv::add_into(at::Tensor& sum, const at::Tensor& x) const {
  const std::array<std::int64_t, 2> stride{options_.stride, options_.stride};
  const std::array<std::int64_t, 2> padding{options_.padding, options_.padding};
  if (!packed_) {
    sum.add_(at::conv2d(x, weight_, bias_, stride, padding, kNoDilation, options_.groups));
    activate(sum, options_);
    return;
  }
  const bool relu = options_.activation == Activation::kRelu;
  one_dnn()->add_into.call(sum, x, weight_, bias_, padding, stride, kNoDilation, options_.groups,
                           "add", at::Scalar(1.0), relu ? Text("relu") : std::nullopt, Scalars(),
                           "");
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/one_dnn_conv.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "core/exec/compute_type.h"

namespace uad {

namespace {

using Ints = at::IntArrayRef;
using Pair = std::array<std::int64_t, 2>;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;

using Reorder = at::Tensor(const at::Tensor&, Ints, Ints, Ints, std::int64_t,
                           at::OptionalIntArrayRef);
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             Ints, Ints, Ints, std::int64_t, std::string_view, Scalars, Text);
using Binary = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const std::optional<at::Tensor>&, Ints, Ints, Ints, std::int64_t,
                           std::string_view, std::optional<at::Scalar>, Text, Scalars, Text);

struct Operators {
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
const std::optional<Operators>& operators() {
  static const std::optional<Operators> found = []() -> std::optional<Operators> {
    const auto reorder = find<Reorder>("mkldnn::_reorder_convolution_weight", "");
    const auto pointwise = find<Pointwise>("mkldnn::_convolution_pointwise", "");
    const auto add_into = find<Binary>("mkldnn::_convolution_pointwise_", "binary");
    if (!reorder || !pointwise || !add_into || !at::globalContext().userEnabledMkldnn())
      return std::nullopt;
    return Operators{*reorder, *pointwise, *add_into};
  }();
  return found;
}

constexpr Pair kNoDilation{1, 1};
constexpr std::size_t kLayouts = 4;  // as many sizes of input get weights of their own

Pair both(std::int64_t value) { return {value, value}; }

const char* name_of(Activation activation) {
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

Scalars numbers_of(const ConvOptions& options) {
  Scalars numbers;
  if (options.activation == Activation::kRelu6) {
    numbers.push_back(at::Scalar(0.0));
    numbers.push_back(at::Scalar(6.0));
  }
  if (options.activation == Activation::kLeakyRelu) numbers.push_back(at::Scalar(options.slope));
  return numbers;
}

}  // namespace

bool OneDnnConv::takes(at::ScalarType type) {
  if (!operators()) return false;
  return type == at::kFloat || (type == at::kBFloat16 && cpu_computes_bf16());
}

OneDnnConv::OneDnnConv(at::Tensor weight, at::Tensor bias, const ConvOptions& options)
    : weight_(std::move(weight)), bias_(std::move(bias)), options_(options) {}

// A layout that does not fit the kernel is converted in every call, which can take ten times as
// long as the convolution itself.
at::Tensor OneDnnConv::weight_for(const at::Tensor& x) const {
  Layout wanted{{x.size(0), x.size(1), x.size(2), x.size(3)}, at::get_num_threads(), {}};
  const std::scoped_lock guard(lock_);
  const auto found = std::ranges::find_if(layouts_, [&](const Layout& layout) {
    return layout.input == wanted.input && layout.threads == wanted.threads;
  });
  if (found != layouts_.end()) return found->weight;
  if (layouts_.size() >= kLayouts) return layouts_.back().weight;
  wanted.weight =
      operators()->reorder.call(weight_, both(options_.padding), both(options_.stride), kNoDilation,
                                options_.groups, at::OptionalIntArrayRef(wanted.input));
  return layouts_.emplace_back(std::move(wanted)).weight;
}

at::Tensor OneDnnConv::run(const at::Tensor& x) const {
  return operators()->pointwise.call(x, weight_for(x), bias_, both(options_.padding),
                                     both(options_.stride), kNoDilation, options_.groups,
                                     name_of(options_.activation), numbers_of(options_), "");
}

void OneDnnConv::add_into(at::Tensor& sum, const at::Tensor& x) const {
  const bool relu = options_.activation == Activation::kRelu;
  operators()->add_into.call(sum, x, weight_for(x), bias_, both(options_.padding),
                             both(options_.stride), kNoDilation, options_.groups, "add",
                             at::Scalar(1.0), relu ? Text("relu") : std::nullopt, Scalars(), "");
}

}  // namespace uad

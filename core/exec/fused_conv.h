// SPDX-License-Identifier: LGPL-2.1-or-later
// One convolution of a frozen network: batch norm folded in, activation and residual fused,
// channels-last, weights laid out once.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace uad {

/// float32 [C_out, C_in / groups, kH, kW] and [C_out].
struct ConvWeights {
  at::Tensor weight;
  at::Tensor bias;
};

/// Frozen batch norm, each float32 [C].
struct BatchNorm {
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor running_mean;
  at::Tensor running_var;
  double eps = 1e-5;
};

/// The convolution that equals convolution (without bias) followed by `norm`.
ConvWeights fold_batch_norm(const at::Tensor& weight, const BatchNorm& norm);

/// kRelu6: clamped to 0 … 6; kSwish: x · sigmoid(x).
enum class Activation { kNone, kRelu, kRelu6, kLeakyRelu, kSwish };

struct ConvOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  Activation activation = Activation::kRelu;  ///< on the result
  double slope = 0;                           ///< of kLeakyRelu, where values are negative
  /// [N, C, H, W] that weights are laid out for; others work, some more slowly. Empty = any.
  std::vector<std::int64_t> likely_input = {};
};

/// Immutable. Inputs are [N, C_in, H, W] in the layer's type, channels-last, on its device; so are
/// the outputs. On the CPU the work goes to oneDNN's fused operators, elsewhere to plain ATen.
/// @note Thread-safe.
class FusedConv {
 public:
  FusedConv() = default;
  /// @param place  type (float32, bfloat16; float16 on a GPU) and device to compute in.
  FusedConv(const ConvWeights& weights, const ConvOptions& options, at::TensorOptions place);
  /// activation(convolution(x)).
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// activation(sum + convolution(x)); `sum` is overwritten with it. Not for kRelu6,
  /// kLeakyRelu and kSwish.
  void add_into(at::Tensor& sum, const at::Tensor& x) const;

 private:
  ConvOptions options_;
  at::Tensor weight_;  // in oneDNN's own blocked layout where `packed_`
  at::Tensor bias_;
  bool packed_ = false;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// One convolution of a frozen network: batch norm folded in, activation and residual fused,
// channels-last, weights laid out once.
#pragma once

#include <array>
#include <memory>

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
};

namespace conv {
class DirectConv;
class WinogradConv;
}  // namespace conv
class OneDnnConv;

/// Immutable. Inputs are [N, C_in, H, W] in the layer's type, channels-last, on its device; so are
/// the outputs. In float32 on a CPU with AVX2 and without AVX-512 the work goes to core/exec/conv
/// (save for groups and kSwish), on other CPUs to oneDNN's fused operators, elsewhere to plain
/// ATen.
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
  [[nodiscard]] bool computes_itself() const { return direct_ || winograd_; }
  void compute_into(at::Tensor& y, const at::Tensor& x, bool add) const;

  ConvOptions options_;
  std::array<std::int64_t, 4> shape_{};  // of the weights
  at::Tensor weight_;                    // for plain ATen only
  at::Tensor bias_;
  // At most one of them; shared by copies.
  std::shared_ptr<const conv::DirectConv> direct_;
  std::shared_ptr<const conv::WinogradConv> winograd_;
  std::shared_ptr<const OneDnnConv> one_dnn_;
};

}  // namespace uad

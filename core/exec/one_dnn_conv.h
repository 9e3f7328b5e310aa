// SPDX-License-Identifier: LGPL-2.1-or-later
// A convolution by oneDNN's fused operators, which LibTorch registers but declares in no header.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/exec/fused_conv.h"

namespace uad {

/// @note Thread-safe.
class OneDnnConv {
 public:
  /// Whether this LibTorch and this CPU compute in `type` by oneDNN.
  [[nodiscard]] static bool takes(at::ScalarType type);
  /// @param weight  [C_out, C_in / groups, kH, kW] and @param bias  [C_out], on the CPU in a type
  /// that takes() accepts.
  OneDnnConv(at::Tensor weight, at::Tensor bias, const ConvOptions& options);
  [[nodiscard]] at::Tensor run(const at::Tensor& x) const;
  /// See FusedConv::add_into().
  void add_into(at::Tensor& sum, const at::Tensor& x) const;

 private:
  /// What a layout of the weights is right for: oneDNN chooses its kernel by all of it.
  struct Layout {
    std::array<std::int64_t, 4> input{};
    int threads = 0;
    at::Tensor weight;
  };
  [[nodiscard]] at::Tensor weight_for(const at::Tensor& x) const;

  at::Tensor weight_;
  at::Tensor bias_;
  ConvOptions options_;
  mutable std::mutex lock_;  // guards layouts_
  mutable std::vector<Layout> layouts_;
};

}  // namespace uad

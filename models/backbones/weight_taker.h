// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes a network's tensors out of a state dict, checked, and remembers them for the model file.
#pragma once

#include <string>

#include "core/checkpoint.h"
#include "core/exec/fused_conv.h"

namespace uad::models {

class WeightTaker {
 public:
  /// @param from  a torchvision state dict; what is not asked for is ignored.
  /// @param origin  file it came from, and @param network  what it should hold: for errors.
  /// @param taken  receives every tensor that is taken, float32 on the CPU.
  /// @param place  type and device of the convolutions.
  /// @param bn_eps  of every batch norm.
  WeightTaker(const TensorMap& from, std::string origin, std::string network, TensorMap& taken,
              at::TensorOptions place, double bn_eps = 1e-5);

  /// "NAME.weight" of the given shape and "NORM.weight", ".bias", ".running_mean", ".running_var".
  /// @param shape  [C_out, C_in / groups, kH, kW].
  /// @throws Error(kBadFile) naming the tensor, expected and found shape.
  FusedConv conv_and_norm(const std::string& name, const std::string& norm, at::IntArrayRef shape,
                          const ConvOptions& options);
  /// "NAME.weight" and "NAME.bias".
  FusedConv conv(const std::string& name, at::IntArrayRef shape, const ConvOptions& options);
  /// Refuses weights in which some tensor's name starts with `prefix`: those of a deeper network,
  /// of which ours would silently take a part.
  void refuse(const std::string& prefix) const;

 private:
  at::Tensor take(const std::string& name, at::IntArrayRef shape);
  [[noreturn]] void fail(const std::string& what) const;

  const TensorMap& from_;
  std::string origin_;
  std::string network_;
  TensorMap& taken_;
  at::TensorOptions place_;
  double bn_eps_;
};

}  // namespace uad::models

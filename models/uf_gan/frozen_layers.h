// SPDX-License-Identifier: LGPL-2.1-or-later
// A network for use alone: batch norms folded into the convolutions, ReLUs fused with them, weights
// laid out once.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/exec/fused_conv.h"
#include "models/uf_gan/layers.h"

namespace uad::models::uf_gan {

/// Immutable. Tensors are channels-last, in the type and on the device of `place`.
/// @note Thread-safe.
class FrozenLayers final : public Layers {
 public:
  /// Which layers there are is learnt from one run of the network.
  /// @param weights  float32; not needed afterwards. @param run  the network over any layers, on an
  /// image of the size that others will mostly have.
  FrozenLayers(const TensorMap& weights, at::TensorOptions place,
               const std::function<void(const Layers&)>& run);
  [[nodiscard]] const at::TensorOptions& place() const noexcept { return place_; }

  [[nodiscard]] at::Tensor conv(const at::Tensor& x, const Conv& conv) const override;
  [[nodiscard]] at::Tensor conv_added(at::Tensor sum, const at::Tensor& x,
                                      const Conv& conv) const override;
  [[nodiscard]] at::Tensor up(const at::Tensor& x, const Conv& conv) const override;
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const std::string& name, double epsilon,
                                double slope) const override;

 private:
  friend class Freezer;
  struct Convolution {
    FusedConv conv;
    std::int64_t kernel = 0;
  };
  struct Affine {  ///< x * scale + shift
    at::Tensor scale;
    at::Tensor shift;
  };
  at::TensorOptions place_;
  std::map<std::string, Convolution> convolutions_;
  std::map<std::string, ConvWeights> transposed_;
  std::map<std::string, Affine> norms_;
};

}  // namespace uad::models::uf_gan

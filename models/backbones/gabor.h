// SPDX-License-Identifier: LGPL-2.1-or-later
// A fixed bank of filters that needs no weights: how much structure of which direction and width
// lies where, and which colour. The README of this folder says what it is good for.
#pragma once

#include <array>

#include "models/backbones/backbone.h"

namespace uad::models {

/// "layer1" (stride 4), "layer2" (stride 8), "layer3" (stride 16).
[[nodiscard]] std::vector<LayerInfo> gabor_layers();

/// Always float32: it costs a fraction of a network, and a model made with it scores the same at
/// every precision.
class Gabor final : public Backbone {
 public:
  /// @param device  to compute on.
  Gabor(std::vector<LayerInfo> layers, c10::Device device);
  [[nodiscard]] const std::vector<LayerInfo>& layers() const noexcept override { return layers_; }
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& images) const override;
  [[nodiscard]] const TensorMap& weights() const noexcept override { return no_weights_; }

 private:
  [[nodiscard]] at::Tensor energies(const at::Tensor& luminance) const;

  std::vector<LayerInfo> layers_;
  at::Tensor opponent_;  // [3, 3, 1, 1]: normalised RGB to luminance and two colour differences
  at::Tensor offset_;    // [3]
  at::Tensor waves_;     // [2 * orientations, 1, size, size]: even ones, then odd ones
  TensorMap no_weights_;
};

}  // namespace uad::models

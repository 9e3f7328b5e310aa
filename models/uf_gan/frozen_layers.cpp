// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/frozen_layers.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace uad::models::uf_gan {

/// Runs a network plainly and adds each layer that it meets to frozen ones.
class Freezer final : public Layers {
 public:
  Freezer(const TensorMap& weights, FrozenLayers& frozen)
      : weights_(weights), plain_(weights, Pass::kInference), frozen_(frozen) {}

  [[nodiscard]] at::Tensor conv(const at::Tensor& x, const Conv& conv) const override {
    add(conv, conv.slope);
    return plain_.conv(x, conv);
  }
  [[nodiscard]] at::Tensor conv_added(at::Tensor sum, const at::Tensor& x,
                                      const Conv& conv) const override {
    add(conv, 1);  // the ReLU comes after the sum
    return plain_.conv_added(std::move(sum), x, conv);
  }
  [[nodiscard]] at::Tensor up(const at::Tensor& x, const Conv& conv) const override {
    const auto [scale, shift] = affine(conv.norm, conv.epsilon);
    const at::Tensor bias = weights_.at(conv.name + ".bias") * scale + shift;
    frozen_.transposed_[conv.name] = {
        (weights_.at(conv.name + ".weight") * scale.view({1, -1, 1, 1}))
            .to(frozen_.place_)
            .contiguous(at::MemoryFormat::ChannelsLast),
        bias.to(frozen_.place_)};
    return plain_.up(x, conv);
  }
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const std::string& name, double epsilon,
                                double slope) const override {
    const auto [scale, shift] = affine(name, epsilon);
    frozen_.norms_[name] = {scale.view({1, -1, 1, 1}).to(frozen_.place_),
                            shift.view({1, -1, 1, 1}).to(frozen_.place_)};
    return plain_.norm(x, name, epsilon, slope);
  }

 private:
  [[nodiscard]] FrozenLayers::Affine affine(const std::string& norm, double epsilon) const {
    const auto weight = weights_.find(norm + ".weight");
    const at::Tensor rate = (weights_.at(norm + ".running_var") + epsilon).rsqrt();
    const at::Tensor scale = weight == weights_.end() ? rate : rate * weight->second;
    return {scale, weights_.at(norm + ".bias") - weights_.at(norm + ".running_mean") * scale};
  }

  void add(const Conv& conv, double slope) const {
    at::Tensor weight = weights_.at(conv.name + ".weight");
    const auto found = weights_.find(conv.name + ".bias");
    at::Tensor bias = found == weights_.end() ? at::zeros({weight.size(0)}) : found->second;
    if (!conv.norm.empty()) {
      const auto [scale, shift] = affine(conv.norm, conv.epsilon);
      weight = weight * scale.view({-1, 1, 1, 1});
      bias = bias * scale + shift;
    }
    const std::int64_t kernel = weight.size(2);
    frozen_.convolutions_[conv.name] = {
        FusedConv({weight, bias},
                  {.stride = conv.stride,
                   .padding = zeros_around(conv, kernel),
                   .groups = conv.groups,
                   .activation = slope == 1 ? Activation::kNone : Activation::kLeakyRelu,
                   .slope = slope},
                  frozen_.place_),
        kernel};
  }

  const TensorMap& weights_;
  PlainLayers plain_;
  FrozenLayers& frozen_;
};

FrozenLayers::FrozenLayers(const TensorMap& weights, at::TensorOptions place,
                           const std::function<void(const Layers&)>& run)
    : place_(place) {
  const c10::NoGradGuard no_gradients;
  run(Freezer(weights, *this));
}

at::Tensor FrozenLayers::conv(const at::Tensor& x, const Conv& conv) const {
  const auto& [convolve, kernel] = convolutions_.at(conv.name);
  return cut_to_size(convolve(padded(x, conv).contiguous(at::MemoryFormat::ChannelsLast)), conv,
                     kernel);
}

at::Tensor FrozenLayers::conv_added(at::Tensor sum, const at::Tensor& x, const Conv& conv) const {
  convolutions_.at(conv.name).conv.add_into(sum, x);
  return conv.slope == 1 ? sum : at::leaky_relu_(sum, conv.slope);
}

at::Tensor FrozenLayers::up(const at::Tensor& x, const Conv& conv) const {
  const ConvWeights& weights = transposed_.at(conv.name);
  return at::conv_transpose2d(x, weights.weight, weights.bias, 2, 1);
}

at::Tensor FrozenLayers::norm(const at::Tensor& x, const std::string& name, double /*epsilon*/,
                              double slope) const {
  const auto& [scale, shift] = norms_.at(name);
  at::Tensor y = at::addcmul(shift, x, scale);
  return slope == 1 ? y : at::leaky_relu_(y, slope);
}

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
// The network: four times down, four times up, one logit a pixel. Architecture only.
// Source: specification, TinyUNet, section 4.
//
// Parameters travel as named tensors ("down1.conv2.weight", "down1.conv2.bias"), which is what
// model files, checkpoints and optimisers take. ATen alone: torch::nn would cost each of its users
// twenty seconds of compilation and give nothing that twenty-three plain convolutions need.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::tiny_unet {

inline constexpr std::int64_t kSideUnit = 16;  ///< sides are multiples: four poolings halve them
/// The multiple next to `side`, one of them at least.
constexpr std::int64_t nearest_side(std::int64_t side) {
  return std::max((side + kSideUnit / 2) / kSideUnit, std::int64_t{1}) * kSideUnit;
}

/// One convolution, square, stride 1. Kernel 2 = pixels are doubled first; see up().
struct Layer {
  std::string name;
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;

  [[nodiscard]] std::int64_t padding() const { return kernel / 2; }  ///< zeros on every side
  [[nodiscard]] bool relu() const { return kernel > 1; }  ///< all but the last, which gives logits
};

/// Names as in the option `unet_variant`: tinyUNet, original.
[[nodiscard]] const std::vector<std::string>& variant_names();

/// The convolutions in the order of the forward pass. @param variant  one of variant_names().
[[nodiscard]] const std::vector<Layer>& layers(const std::string& variant);

/// Layer `i` with padding and ReLU.
using Convolve = std::function<at::Tensor(std::size_t i, const at::Tensor& x)>;

/// The wiring around the convolutions; the trained and the frozen network are both this function.
/// @param image  [N, 1, H, W]. @return [N, 1, H, W].
/// @throws Error(kShapeMismatch) unless H and W are multiples of kSideUnit.
[[nodiscard]] at::Tensor forward(const at::Tensor& image, const Convolve& convolve);

/// Nearest-neighbour doubling and the 2x2 convolution `i`, zeros at the right and bottom only.
/// @param x  [N, C, h, w]. @return [N, C', 2h, 2w].
[[nodiscard]] at::Tensor up(std::size_t i, const at::Tensor& x, const Convolve& convolve);

/// Grey image of what arrives as RGB: the mean of the channels, whose weights are equal because a
/// defect may have any colour. @param images  [N, 3, H, W]. @return [N, 1, H, W], channels-last.
[[nodiscard]] at::Tensor grey(const at::Tensor& images);

/// The network as it is trained. Not thread-safe while its parameters change.
class Network {
 public:
  /// Takes the tensors as they are, float32; weights [out, in, k, k], biases [out].
  Network(const std::string& variant, TensorMap parameters);

  /// @param image  [N, 1, H, W]; the network computes in its type, and parameters are cast to it:
  /// bfloat16 images give mixed precision with float32 weights and gradients.
  /// @return float32 [N, 1, H, W], differentiable. @throws as forward().
  [[nodiscard]] at::Tensor logits(const at::Tensor& image) const;

  [[nodiscard]] const std::string& variant() const noexcept { return variant_; }
  [[nodiscard]] const TensorMap& parameters() const noexcept { return parameters_; }

 private:
  std::string variant_;
  TensorMap parameters_;
};

/// In the order of their names.
[[nodiscard]] std::vector<at::Tensor> tensors_of(const TensorMap& parameters);

/// The parameters of a model file. @throws Error(kBadFile) naming the tensor that is missing, has
/// another shape or holds values that are not numbers.
[[nodiscard]] TensorMap read_parameters(const CheckpointReader& in, const std::string& variant);

}  // namespace uad::models::tiny_unet

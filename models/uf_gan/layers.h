// SPDX-License-Identifier: LGPL-2.1-or-later
// The few kinds of layers that both networks are made of, over named tensors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::uf_gan {

/// A convolution, the batch norm behind it and the leaky ReLU behind that.
struct Conv {
  enum class Padding {
    kEven,  ///< `zeros` on every side
    kSame,  ///< same size; an even kernel has one zero less before than after, as in TensorFlow
    kHalf   ///< half the size for a kernel of 5 and even sides: one zero before, two after
  };
  std::string name;  ///< of its tensors
  std::string norm;  ///< of the norm's; "" = none
  double epsilon = 0;
  double slope = 1;  ///< of the leaky ReLU; 1 = none
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  std::int64_t zeros = 0;
  Padding padding = Padding::kEven;
};

/// What a network is run on. Tensors are [N, C, H, W].
class Layers {
 public:
  virtual ~Layers() = default;
  [[nodiscard]] virtual at::Tensor conv(const at::Tensor& x, const Conv& conv) const = 0;
  /// What is between convolution and ReLU is added to `sum`, which may be overwritten.
  [[nodiscard]] virtual at::Tensor conv_added(at::Tensor sum, const at::Tensor& x,
                                              const Conv& conv) const = 0;
  /// Transposed, twice the size, kernel 4; the same norm and no ReLU.
  [[nodiscard]] virtual at::Tensor up(const at::Tensor& x, const Conv& conv) const = 0;
  /// A norm by itself. @param slope  of the leaky ReLU behind it; 1 = none.
  [[nodiscard]] virtual at::Tensor norm(const at::Tensor& x, const std::string& name,
                                        double epsilon, double slope) const = 0;

  using Part = std::function<std::vector<at::Tensor>(const Layers& layers,
                                                     const std::vector<at::Tensor>& inputs)>;
  /// A part of the network that may be treated as one: all that reaches it are `inputs` and the
  /// tensors whose names begin with `prefix`. @param run  owns what it needs.
  [[nodiscard]] virtual std::vector<at::Tensor> part(const std::string& prefix,
                                                     const std::vector<at::Tensor>& inputs,
                                                     const Part& run) const;
};

/// How batch norm works in a pass.
enum class Pass {
  kTraining,  ///< by the batch, and the running statistics follow it
  kRepeated,  ///< by the batch, which they have followed already
  kInference  ///< by the running statistics
};

inline constexpr double kMomentum = 0.01;  ///< as published

/// Layer by layer, with gradients where they are enabled. Borrows the weights.
/// @note Not thread-safe in a training pass.
class PlainLayers : public Layers {
 public:
  /// @param momentum  weight of the batch in the running statistics.
  PlainLayers(const TensorMap& weights, Pass pass, double momentum = kMomentum)
      : weights_(weights), pass_(pass), momentum_(momentum) {}
  [[nodiscard]] at::Tensor conv(const at::Tensor& x, const Conv& conv) const override;
  [[nodiscard]] at::Tensor conv_added(at::Tensor sum, const at::Tensor& x,
                                      const Conv& conv) const override;
  [[nodiscard]] at::Tensor up(const at::Tensor& x, const Conv& conv) const override;
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const std::string& name, double epsilon,
                                double slope) const override;

 protected:
  [[nodiscard]] const TensorMap& weights() const noexcept { return weights_; }
  [[nodiscard]] Pass pass() const noexcept { return pass_; }

 private:
  [[nodiscard]] at::Tensor linear(const at::Tensor& x, const Conv& conv) const;
  [[nodiscard]] at::Tensor optional(const std::string& name) const;  // undefined = none

  const TensorMap& weights_;
  Pass pass_;
  double momentum_;
};

/// @param kernel  its side. @return zeros on every side that a convolution of `conv` begins with.
[[nodiscard]] std::int64_t zeros_around(const Conv& conv, std::int64_t kernel);
/// What of the input such a convolution sees.
[[nodiscard]] at::Tensor padded(const at::Tensor& x, const Conv& conv);
/// What of its output counts.
[[nodiscard]] at::Tensor cut_to_size(const at::Tensor& y, const Conv& conv, std::int64_t kernel);

}  // namespace uad::models::uf_gan

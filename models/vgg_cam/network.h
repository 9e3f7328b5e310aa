// SPDX-License-Identifier: LGPL-2.1-or-later
// A classifier of good and defective images on a backbone: everything up to layer 2 is frozen, the
// stage behind it and a linear head learn.
//
// Class 0 is good, class 1 an anomaly. Names of tensors are torchvision's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "core/method.h"
#include "models/backbones/backbones.h"

namespace uad::models::vgg_cam {

/// Backbones whose last stage can learn.
[[nodiscard]] std::vector<std::string> trainable_backbones();

/// Max-pool 2x2, mean over the image, one score a class.
struct Head {
  at::Tensor weight;  ///< float32 [2, C]
  at::Tensor bias;    ///< float32 [2]

  /// Names in a state dict.
  static constexpr const char* kWeight = "classification_head.3.weight";
  static constexpr const char* kBias = "classification_head.3.bias";

  /// Uniform within 1 / √C.
  static Head random(std::int64_t channels, std::uint64_t seed);
  /// @param features  float32 [N, C, h, w], not negative. @param kept  bool [N, h, w]: places that
  /// count; undefined = all. @return float32 [N, 2].
  /// @throws Error(kBadOption) if the grid is smaller than 2x2.
  [[nodiscard]] at::Tensor scores(const at::Tensor& features, const at::Tensor& kept) const;
};

/// The network while it learns. @note One thread.
class Network {
 public:
  /// @param weights  a state dict of `backbone` up to layer 3.
  /// @throws Error(kBadOption) if that backbone cannot learn; Error(kBadFile) as make_backbone().
  Network(const std::string& backbone, const BackboneWeights& weights, std::uint64_t seed,
          const Execution& execution);

  /// What the frozen part makes of images: float32 [N, C, h, w]. Records no gradients.
  [[nodiscard]] at::Tensor frozen(const at::Tensor& images) const;
  /// What the learning stage makes of that: float32 [N, C, h, w], not negative.
  [[nodiscard]] at::Tensor features(const at::Tensor& frozen) const;
  [[nodiscard]] const Head& head() const noexcept { return head_; }

  /// Every tensor that learns; storage is shared with the network. Batch norm does not learn.
  [[nodiscard]] const TensorMap& learning() const noexcept { return learning_; }
  /// The whole backbone as it is now, to be run without gradients.
  [[nodiscard]] std::unique_ptr<Backbone> backbone() const;

 private:
  std::string name_;
  Execution execution_;
  std::unique_ptr<Backbone> frozen_;
  TensorMap weights_;  // of the whole backbone; those that learn are the very ones of `learning_`
  Head head_;
  TensorMap learning_;
};

}  // namespace uad::models::vgg_cam

// SPDX-License-Identifier: LGPL-2.1-or-later
// Which numbers describe a position: channels drawn at random, or random mixtures of all of them.
// Source: specification, PaDiM, section 3, and PatchCore, section 7.
#pragma once

#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "models/backbones/backbone.h"

namespace uad::models::padim {

/// Names as in the option `reduction`, with what they do.
///   sample     channels drawn from all layers alike
///   h_sample   a third of the channels from each layer
///   ortho      orthonormal mixtures
///   svd_ortho  orthonormal mixtures, drawn another way
///   gaussian   mixtures with independent normal weights
[[nodiscard]] const std::vector<std::string>& reduction_names();

/// Immutable. @note Thread-safe.
class Reduction {
 public:
  /// Draws `features` numbers for each position. The same seed gives the same numbers.
  /// @throws Error(kBadOption) unless 0 < features ≤ all channels of the layers.
  Reduction(const std::string& name, const std::vector<LayerInfo>& layers, std::int64_t features,
            std::uint64_t seed);
  /// As saved. @throws Error(kBadFile) naming the tensor.
  Reduction(const CheckpointReader& in, const std::vector<LayerInfo>& layers);
  void save(CheckpointWriter& out) const;

  [[nodiscard]] std::int64_t features() const;
  /// Coarser layers reach the finest one's grid by nearest neighbour.
  /// @param maps  one [N, C_i, h_i, w_i] for each layer, finest first.
  /// @return float32 [N, features, h, w], contiguous.
  [[nodiscard]] at::Tensor operator()(const std::vector<at::Tensor>& maps) const;

 private:
  void split(const std::vector<LayerInfo>& layers);

  at::Tensor channels_;            // int64 [features], ascending, of the layers in a row; or
  at::Tensor mixture_;             // float32 [all channels, features]
  std::vector<at::Tensor> parts_;  // what concerns each layer: channels, or [features, C_i, 1, 1]
};

}  // namespace uad::models::padim

// SPDX-License-Identifier: LGPL-2.1-or-later
// What IUF's network learns by. Source: specification, IUF, sections 5 and 6; Tang et al., "An
// Incremental Unified Framework for Small Defect Inspection" (arXiv 2312.08917).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad::models::iuf {

/// Noise in proportion to each token's length: ε ‖t‖ / C · scale.
/// @param tokens  float32 [T, B, C].
[[nodiscard]] at::Tensor jittered(const at::Tensor& tokens, double scale, at::Generator& random);

/// Sum of the singular values of a matrix that are below 0.1 / C of the sum of all, over that sum.
/// @param rows  float32 [R, C]. @return a scalar; differentiable.
[[nodiscard]] at::Tensor weak_share(const at::Tensor& rows);

/// Semantic compression: keeps what the decoder's layers make of known products in few directions.
/// Remembers the rows of an epoch. @note One thread.
class Compression {
 public:
  /// @param layers, channels  of the decoder's outputs. @param gradient  false = the loss is a
  /// figure and teaches nothing, as in the published program.
  Compression(std::int64_t layers, std::int64_t channels, bool gradient, c10::Device device);
  /// Forgets the rows; an epoch begins.
  void clear();
  /// Adds a batch and judges the rows so far. @param decoded  the layers' outputs, [T, B, C] each.
  /// @return the mean over layers, differentiable by this batch.
  [[nodiscard]] at::Tensor add(const std::vector<at::Tensor>& decoded);
  /// See Learner::state().
  [[nodiscard]] TensorMap state() const;

 private:
  bool gradient_;
  std::vector<at::Tensor> rows_;  // of each layer, float32 [kMostRows, C]
  at::Tensor count_;              // int64 [], of them that are in use
};

}  // namespace uad::models::iuf

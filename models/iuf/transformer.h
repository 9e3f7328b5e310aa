// SPDX-License-Identifier: LGPL-2.1-or-later
// Rebuilds the features of an image from its tokens: an encoder whose queries are conditioned on
// the product, and a decoder with queries of its own in every layer. Architecture only.
// Source: specification, IUF, section 5.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "models/iuf/layout.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

/// Tensors "input_proj.…", "transformer.…", "output_proj.…".
void add_transformer(Layout& layout, const NetworkShape& shape);

/// Names without ".weight" and ".bias" of the layers that updates are constrained in: the second
/// feed-forward linear of each encoder layer, then of each decoder layer.
[[nodiscard]] const std::vector<std::string>& constrained_layers();

struct Reconstruction {
  at::Tensor features;              ///< [B, channels, h, w]
  std::vector<at::Tensor> decoded;  ///< D_0 … D_3: each decoder layer normalised, [T, B, kHidden]
  /// What constrained_layers() put out, in that order, each the mean over the tokens,
  /// [B, kHidden]; empty unless asked for.
  std::vector<at::Tensor> outputs;
};

/// @param tokens  [T, B, channels]. @param conditions  those of recognise().
/// @param random  null = inference, no dropout; else dropout 0.1 drawn from it, never from the
/// global generator, so that a run that is taken up again goes on exactly.
/// @throws Error(kShapeMismatch) @note Thread-safe unless `random` is shared.
[[nodiscard]] Reconstruction reconstruct(const TensorMap& weights, const NetworkShape& shape,
                                         const at::Tensor& tokens,
                                         const std::vector<at::Tensor>& conditions,
                                         at::Generator* random, bool with_outputs = false);

}  // namespace uad::models::iuf

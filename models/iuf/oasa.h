// SPDX-License-Identifier: LGPL-2.1-or-later
// The classifier of products. What its blocks see in an image conditions the encoder's queries:
// object-aware self-attention. Architecture only. Source: specification, IUF, section 4.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "models/iuf/layout.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

/// Tensors "vitclassifiy.…", spelled as published.
void add_oasa(Layout& layout, const NetworkShape& shape);

/// The first part of recognise(). @return the tokens in rows of cells, [B * height, r, W, kHidden],
/// where a cell is r tokens high and wide and W = width * r.
[[nodiscard]] at::Tensor embed(const TensorMap& weights, const NetworkShape& shape,
                               const at::Tensor& images, Pass pass);
/// Block `i` of the kLayers. @param x  [rows, W, kHidden], whole rows of tokens. @return the same.
[[nodiscard]] at::Tensor run_block(const TensorMap& weights, std::int64_t i, const at::Tensor& x);

struct Recognition {
  at::Tensor scores;                   ///< [B, classes], not normalised
  std::vector<at::Tensor> conditions;  ///< one an encoder layer, each [T, B, kHidden], detached
};

/// Tokens of one row attend to each other and to no other row, so without gradients the rows go
/// through the network a few at a time: with patch 1 one activation of a whole image is 49 MiB.
/// @param images  normalised. @param pass  a training pass moves the running statistics.
/// @throws Error(kShapeMismatch) unless images are [B, 3, 16 height, 16 width].
/// @note Thread-safe in an inference pass.
[[nodiscard]] Recognition recognise(const TensorMap& weights, const NetworkShape& shape,
                                    const at::Tensor& images, Pass pass);

}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
// Where tokens lie: their position codes, and which of them are neighbours.
// Source: specification, IUF, section 5.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "models/iuf/layout.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

/// Tensors "pos_embed.…" of a learned code; a sine code has none.
void add_position_code(Layout& layout, const NetworkShape& shape);

/// @return float32 [T, kHidden]. Learned: the column's half, then the row's. Sine: the row's half,
/// then the column's.
[[nodiscard]] at::Tensor position_code(const TensorMap& weights, const NetworkShape& shape);

/// Added to attention scores: -inf from each token to itself and to its neighbours within the
/// window of `mask_size`, 0 elsewhere. @return float32 [T, T], on the CPU.
/// @throws Error(kBadOption) if the window leaves some token nothing to attend to.
[[nodiscard]] at::Tensor neighbour_mask(const NetworkShape& shape);

}  // namespace uad::models::iuf

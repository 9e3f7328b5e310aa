// SPDX-License-Identifier: LGPL-2.1-or-later
// Attention of many heads, and dropout, which draws from a generator of the caller's.
#pragma once

#include <string>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"
#include "models/iuf/layout.h"

namespace uad::models::iuf {

/// A tenth of the values becomes 0 and the others grow to make up for it.
/// @param samples  the dimension of `x` that counts the samples of the batch.
/// @param random  of the CPU, whatever the device of `x`; null: nothing happens.
[[nodiscard]] at::Tensor dropout(const at::Tensor& x, std::int64_t samples, at::Generator* random);

/// "NAME.in_proj_weight", "NAME.in_proj_bias" (queries, keys, values in one), "NAME.out_proj.…".
void add_attention(Layout& layout, const std::string& name);

/// One attention layer with eight heads. Borrows what it is given.
struct Attention {
  const TensorMap& weights;
  std::string name;       ///< of its tensors
  at::Tensor mask;        ///< [T, T], added to the scores; undefined = none
  at::Generator* random;  ///< of the dropout on attention weights; null = none

  /// @param query  [T, B or 1, C]; 1 = the same queries for the whole batch.
  /// @param key  and @param value  [T, B, C]. @return [T, B, C].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& query, const at::Tensor& key,
                                      const at::Tensor& value) const;
};

}  // namespace uad::models::iuf

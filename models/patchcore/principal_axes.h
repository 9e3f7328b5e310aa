// SPDX-License-Identifier: LGPL-2.1-or-later
// A rotation that puts what tells vectors apart into their first coordinates.
#pragma once

#include <ATen/core/Tensor.h>

namespace uad::models::patchcore {

/// @param scatter  float32 [D, D], covariance up to a factor.
/// @return float32 [D, D], orthonormal columns, the strongest direction first.
[[nodiscard]] at::Tensor principal_axes(const at::Tensor& scatter);

}  // namespace uad::models::patchcore

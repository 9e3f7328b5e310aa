// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/principal_axes.h"

#include <ATen/ATen.h>

namespace uad::models::patchcore {

at::Tensor principal_axes(const at::Tensor& scatter) {
  const auto [strength, axes] = at::linalg_eigh(scatter.to(at::kDouble));
  return axes.flip(1).to(at::kFloat).contiguous();
}

}  // namespace uad::models::patchcore

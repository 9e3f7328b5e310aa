// SPDX-License-Identifier: LGPL-2.1-or-later
// From logits to what the camera's user sees. Source: specification, TinyUNet, section 7.
#pragma once

#include "core/anomaly_model.h"

namespace uad::models::tiny_unet {

/// Map: defect probability of each pixel; score: its maximum. A logit that is no number stays one,
/// so that nobody takes it for a pass.
/// @param logits  float32 [N, 1, H, W]. @param keep  as in Tiles. @note Reentrant.
[[nodiscard]] Prediction score(const at::Tensor& logits, const at::Tensor& keep);

}  // namespace uad::models::tiny_unet

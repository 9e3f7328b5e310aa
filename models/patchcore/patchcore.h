// SPDX-License-Identifier: LGPL-2.1-or-later
// PatchCore: distance of each patch to a memory bank of good patches.
// Source: Roth et al., "Towards Total Recall in Industrial Anomaly Detection" (arXiv 2106.08265);
// variants in the README beside this file.
#pragma once

#include "core/method.h"

namespace uad::models {

/// The row of the method table.
[[nodiscard]] Method patchcore_method();

}  // namespace uad::models

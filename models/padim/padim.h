// SPDX-License-Identifier: LGPL-2.1-or-later
// PaDiM: distance of each position from the Gaussian of good images at that position.
// Source: Defard et al., "PaDiM: a Patch Distribution Modeling Framework for Anomaly Detection and
// Localization" (arXiv 2011.08785); where we differ is in the README beside this file.
#pragma once

#include "core/method.h"

namespace uad::models {

/// The row of the method table.
[[nodiscard]] Method padim_method();

}  // namespace uad::models

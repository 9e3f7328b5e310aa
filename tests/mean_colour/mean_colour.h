// SPDX-License-Identifier: LGPL-2.1-or-later
// The example of docs/adding-a-method.md: how far the colour of a place is from that of good parts.
#pragma once

#include "core/method.h"

namespace uad::models {

/// The row of the method table.
[[nodiscard]] Method mean_colour_method();

}  // namespace uad::models

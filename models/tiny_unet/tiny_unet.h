// SPDX-License-Identifier: LGPL-2.1-or-later
// TinyUNet: a small U-Net, trained with masks, that gives every pixel a probability of being a
// defect. Where we differ from its origin is in the README beside this file.
#pragma once

#include "core/method.h"

namespace uad::models {

/// The row of the method table.
[[nodiscard]] Method tiny_unet_method();

}  // namespace uad::models

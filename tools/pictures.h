// SPDX-License-Identifier: LGPL-2.1-or-later
// A frame as people see its verdict.
#pragma once

#include "core/base/overlay/overlay_painter.h"
#include "core/base/pixels/image.h"

namespace uad::tools {

/// The RGB frame as uadoverlay would leave it: tint above the warn level of the model's fixed
/// scale, contour, boxes, verdict.
Image painted(Image frame, const OverlayInput& input);

}  // namespace uad::tools

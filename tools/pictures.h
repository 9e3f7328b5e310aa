// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that show a score map: numbers for programs, a picture for people.
#pragma once

#include <filesystem>

#include "core/base/overlay/overlay_painter.h"
#include "core/base/pixels/image.h"
#include "core/base/results/score_map.h"

namespace uad::tools {

/// float32 [height, width], little-endian, NumPy format 1.0. @throws Error(kFailed).
void write_npy(const std::filesystem::path& file, const ScoreMap& map);

/// The RGB frame as uadoverlay would leave it: tint above the warn level of the model's fixed
/// scale, contour, boxes, verdict.
Image painted(Image frame, const OverlayInput& input);

}  // namespace uad::tools

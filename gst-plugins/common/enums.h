// SPDX-License-Identifier: LGPL-2.1-or-later
// Choices of properties, registered as GEnum.
#pragma once

#include <glib-object.h>

namespace uad::gst {

enum class LivePolicy { kAuto, kLatest, kEvery };
enum class Precision { kModel, kFp32, kBf16, kFp16, kAuto };
enum class Messages { kAll, kChange, kNone };

GType live_policy_type();
GType precision_type();
GType messages_type();
GType part_boundary_type();  ///< of uad::PartBoundary
GType colormap_type();       ///< of uad::Colormap

/// "fp32" for Precision::kFp32 with precision_type(), and so on.
const char* nick_of(GType type, int value);

}  // namespace uad::gst

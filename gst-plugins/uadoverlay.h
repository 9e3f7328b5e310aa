// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS
#define UAD_TYPE_OVERLAY (uad_overlay_get_type())
G_DECLARE_FINAL_TYPE(UadOverlay, uad_overlay, UAD, OVERLAY, GstBaseTransform)
G_END_DECLS

// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS
#define UAD_TYPE_INFER (uad_infer_get_type())
G_DECLARE_FINAL_TYPE(UadInfer, uad_infer, UAD, INFER, GstBaseTransform)
G_END_DECLS

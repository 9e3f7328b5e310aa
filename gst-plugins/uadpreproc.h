// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS
#define UAD_TYPE_PREPROC (uad_preproc_get_type())
G_DECLARE_FINAL_TYPE(UadPreproc, uad_preproc, UAD, PREPROC, GstBaseTransform)
G_END_DECLS

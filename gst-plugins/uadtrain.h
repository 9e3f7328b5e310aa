// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS
#define UAD_TYPE_TRAIN (uad_train_get_type())
G_DECLARE_FINAL_TYPE(UadTrain, uad_train, UAD, TRAIN, GstBaseTransform)
G_END_DECLS

// SPDX-License-Identifier: LGPL-2.1-or-later
// The action signals of uadinfer.
#pragma once

#include <glib-object.h>

#include "gst-plugins/uadinfer_session.h"

namespace uad::gst {

/// Called once, from class_init.
void install_infer_actions(GObjectClass* klass);

/// The session of a UadInfer; uadinfer.cpp knows where it lies.
InferSession& session_of(gpointer element);

}  // namespace uad::gst

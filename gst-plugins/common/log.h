// SPDX-License-Identifier: LGPL-2.1-or-later
// Joins core's log lines to the GStreamer debug category `uadcore`.
#pragma once

namespace uad::gst {

/// Once per process, from plugin_init.
void join_core_log();

}  // namespace uad::gst

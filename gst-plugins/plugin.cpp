// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of elements. Nothing here opens LibTorch: the registry scan stays light.
#include <gst/gst.h>

#include "gst-plugins/common/log.h"
#include "gst-plugins/uadinfer.h"
#include "gst-plugins/uadoverlay.h"
#include "gst-plugins/uadpreproc.h"
#include "gst-plugins/uadtrain.h"

static gboolean plugin_init(GstPlugin* plugin) {
  uad::gst::join_core_log();
  return gst_element_register(plugin, "uadpreproc", GST_RANK_NONE, UAD_TYPE_PREPROC) &&
         gst_element_register(plugin, "uadinfer", GST_RANK_NONE, UAD_TYPE_INFER) &&
         gst_element_register(plugin, "uadoverlay", GST_RANK_NONE, UAD_TYPE_OVERLAY) &&
         gst_element_register(plugin, "uadtrain", GST_RANK_NONE, UAD_TYPE_TRAIN);
}

#define PACKAGE "gst-uad"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, uad,
                  "Visual anomaly detection learned from good parts", plugin_init, UAD_VERSION,
                  "LGPL", "gst-uad", "https://gstreamer.freedesktop.org")

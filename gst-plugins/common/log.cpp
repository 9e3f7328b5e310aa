// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/log.h"

#include <string>

#include <gst/gst.h>

#include "core/base/log.h"

GST_DEBUG_CATEGORY_STATIC(uadcore_debug);
#define GST_CAT_DEFAULT uadcore_debug

namespace uad::gst {
namespace {

GstDebugLevel debug_level(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return GST_LEVEL_ERROR;
    case LogLevel::kWarning:
      return GST_LEVEL_WARNING;
    case LogLevel::kInfo:
      return GST_LEVEL_INFO;
    case LogLevel::kDebug:
      return GST_LEVEL_DEBUG;
    case LogLevel::kTrace:
      break;
  }
  return GST_LEVEL_TRACE;
}

}  // namespace

void join_core_log() {
  GST_DEBUG_CATEGORY_INIT(uadcore_debug, "uadcore", 0, "core and methods of gst-uad");
  set_log_sink([](LogLevel level, const std::string& line) {
    GST_CAT_LEVEL_LOG(uadcore_debug, debug_level(level), nullptr, "%s", line.c_str());
  });
}

}  // namespace uad::gst

// SPDX-License-Identifier: LGPL-2.1-or-later
// A GStreamer pipeline as the command line uses it.
#pragma once

#include <functional>
#include <string>

#include <gst/gst.h>

#include "gst-plugins/common/ptr.h"

namespace uad::tools {

using ElementPtr = gst::ObjectPtr<GstElement>;
using gst::MessagePtr;
using gst::SamplePtr;

/// A running pipeline: stopped before it goes away.
class Pipeline {
 public:
  /// @param description  as for gst-launch-1.0. @throws Error(kNotFound) naming a missing element.
  explicit Pipeline(const std::string& description);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  [[nodiscard]] ElementPtr element(const char* name) const;
  [[nodiscard]] GstElement* get() const { return pipeline_.get(); }
  /// @throws Error(kFailed) with the text of the element that refused.
  void play();
  /// Throws the first error on the bus, if there is one.
  void check_bus() const;
  /// Waits for the end of the stream. @throws Error as check_bus.
  /// @param on_element_message  called for every message of type ELEMENT, on this thread.
  void run_to_end(const std::function<void(GstMessage*)>& on_element_message = {});

 private:
  ElementPtr pipeline_;
};

/// Once per process; later calls do nothing.
void init_gstreamer();

}  // namespace uad::tools

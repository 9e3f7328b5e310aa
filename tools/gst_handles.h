// SPDX-License-Identifier: LGPL-2.1-or-later
// Owning handles for the few GStreamer objects that the command line uses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

namespace uad::tools {

struct UnrefObject {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
struct UnrefSample {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
struct UnrefMessage {
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};

using ElementPtr = std::unique_ptr<GstElement, UnrefObject>;
using BusPtr = std::unique_ptr<GstBus, UnrefObject>;
using SamplePtr = std::unique_ptr<GstSample, UnrefSample>;
using MessagePtr = std::unique_ptr<GstMessage, UnrefMessage>;

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

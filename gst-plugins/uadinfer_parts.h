// SPDX-License-Identifier: LGPL-2.1-or-later
// Verdicts per part of uadinfer: from its properties and events, to messages on the bus.
#pragma once

#include <mutex>
#include <string>

#include <gst/gst.h>

#include "core/base/engine/part_tracker.h"
#include "gst-plugins/uadinfer_settings.h"

namespace uad::gst {

/// @note As PartTracker.
class PartReport {
 public:
  /// @param element  posts the messages.
  explicit PartReport(GstElement* element);

  [[nodiscard]] PartTracker& tracker() noexcept { return tracker_; }
  /// @throws Error(kBadOption) if the properties contradict each other; the old ones stay in force.
  void set(const InferSettings& settings);
  /// Where wants_pixels() says so, each frame before its analysis.
  void look(const FrameView& frame);
  /// Begins or ends a part, as the fields of a `uad-part` say. @param live  its times count.
  void heard(const GstStructure* fields, bool live);
  void begin(const std::string& id, bool live);
  void end(bool live);

 private:
  void post(const PartVerdict& verdict);

  GstElement* element_;
  std::mutex lock_;  // guards `tags_`
  std::string tags_;
  PartTracker tracker_;
};

}  // namespace uad::gst

// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency that uadinfer adds to a live stream whose frames wait for their results.
#pragma once

#include <atomic>

#include <gst/gst.h>

namespace uad::gst {

/// @note measured() where analyses finish, one at a time; the rest thread-safe.
class FrameLatency {
 public:
  /// @param element  posts LATENCY when the figure changes by more than 10 %.
  explicit FrameLatency(GstElement* element) : element_(element) {}

  /// Another model is in service. @param warm_up_ms  what a frame took when it was loaded.
  void expect(double warm_up_ms);
  /// What one more frame took.
  void measured(double total_ms);
  void reset() { anew_ = true; }
  /// Adds it to upstream's answer, if that is a live one.
  /// @param held  time of the frames that can wait in the element before upstream has to.
  void add_to(GstQuery* query, GstClockTime held) const;

 private:
  void tell(double ms);

  GstElement* element_;
  std::atomic<GstClockTime> latency_{0};
  std::atomic<bool> anew_{true};  // the next measurement begins another mean
  double mean_ms_ = 0;
};

}  // namespace uad::gst

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_latency.h"

#include <algorithm>
#include <cmath>

#include "gst-plugins/common/ptr.h"

namespace uad::gst {

void FrameLatency::expect(double warm_up_ms) {
  anew_ = true;
  tell(warm_up_ms);
}

void FrameLatency::measured(double total_ms) {
  constexpr double kSmoothing = 0.05;
  constexpr double kWorthTelling = 0.1;
  mean_ms_ += (total_ms - mean_ms_) * (anew_.exchange(false) ? 1 : kSmoothing);
  const double told = static_cast<double>(latency_.load());
  if (std::abs(mean_ms_ * GST_MSECOND - told) > kWorthTelling * told) tell(mean_ms_);
}

void FrameLatency::tell(double ms) {
  latency_ = static_cast<GstClockTime>(ms * GST_MSECOND);
  gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
}

void FrameLatency::add_to(GstQuery* query, GstClockTime held) const {
  gboolean live = FALSE;
  GstClockTime least = 0;
  GstClockTime most = 0;
  gst_query_parse_latency(query, &live, &least, &most);
  if (!live) return;
  const GstClockTime takes = latency_;
  least += takes;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += std::max(takes, held);
  gst_query_set_latency(query, live, least, most);
}

}  // namespace uad::gst

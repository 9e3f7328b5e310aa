// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/stream.h"

#include "core/base/error.h"
#include "gst-plugins/common/ptr.h"

namespace uad::gst {
namespace {

constexpr GstClockTime kNtpToUnix = 2208988800ULL * GST_SECOND;  // 1900 to 1970

/// @return nanoseconds since 1970, or GST_CLOCK_TIME_NONE.
GstClockTime camera_time(GstBuffer* buffer) {
  static const CapsPtr unix_time = CapsPtr::adopt(gst_caps_new_empty_simple("timestamp/x-unix"));
  static const CapsPtr ntp_time = CapsPtr::adopt(gst_caps_new_empty_simple("timestamp/x-ntp"));
  if (auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, unix_time.get())) {
    return meta->timestamp;
  }
  auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, ntp_time.get());
  if (meta != nullptr && meta->timestamp >= kNtpToUnix) return meta->timestamp - kNtpToUnix;
  return GST_CLOCK_TIME_NONE;
}

}  // namespace

Capture capture_of(GstBaseTransform* element, GstBuffer* buffer) {
  Capture capture;
  capture.arrival = std::chrono::steady_clock::now();
  capture.pts = GST_BUFFER_PTS(buffer);
  if (element->segment.format == GST_FORMAT_TIME && GST_BUFFER_PTS_IS_VALID(buffer)) {
    capture.running_time =
        gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  }
  const GstClockTime stamped = camera_time(buffer);
  capture.utc_us = GST_CLOCK_TIME_IS_VALID(stamped)
                       ? static_cast<std::int64_t>(stamped / GST_USECOND)
                       : g_get_real_time();
  return capture;
}

GstClockTime frame_time(const GstVideoInfo& info) {
  if (GST_VIDEO_INFO_FPS_N(&info) <= 0) return 0;
  return gst_util_uint64_scale_int(GST_SECOND, GST_VIDEO_INFO_FPS_D(&info),
                                   GST_VIDEO_INFO_FPS_N(&info));
}

std::chrono::nanoseconds duration_of(const GstVideoInfo& info, GstBuffer* buffer) {
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) {
    return std::chrono::nanoseconds(GST_BUFFER_DURATION(buffer));
  }
  return std::chrono::nanoseconds(frame_time(info));
}

bool upstream_is_live(GstBaseTransform* element) {
  const QueryPtr query = QueryPtr::adopt(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(GST_BASE_TRANSFORM_SINK_PAD(element), query.get())) {
    gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  }
  return live != FALSE;
}

GstVideoInfo video_info(GstCaps* caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) {
    throw Error(ErrorCode::kShapeMismatch,
                "These are no raw video caps: " + take_string(gst_caps_to_string(caps)));
  }
  return info;
}

gboolean forward_allocation(GstBaseTransform* element, GstQuery* /*decide*/, GstQuery* query) {
  return gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(element), query);
}

}  // namespace uad::gst

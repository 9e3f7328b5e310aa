// SPDX-License-Identifier: LGPL-2.1-or-later
// What the in-place video elements ask of the stream they sit in.
#pragma once

#include <chrono>

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "core/base/results/analysis.h"

namespace uad::gst {

/// Times of a buffer. UTC comes from a GstReferenceTimestampMeta (Unix or NTP) where there is one.
Capture capture_of(GstBaseTransform* element, GstBuffer* buffer);

/// Time from one frame to the next by the frame rate; 0 = unknown.
GstClockTime frame_time(const GstVideoInfo& info);

/// From the buffer, else from the frame rate; 0 = unknown.
std::chrono::nanoseconds duration_of(const GstVideoInfo& info, GstBuffer* buffer);

/// Asks upstream with a LATENCY query.
bool upstream_is_live(GstBaseTransform* element);

/// Reads video caps. @throws Error(kShapeMismatch)
GstVideoInfo video_info(GstCaps* caps);

/// Answers upstream's ALLOCATION query with downstream's answer: an element that leaves the memory
/// alone must not make anyone copy.
gboolean forward_allocation(GstBaseTransform* element, GstQuery* decide, GstQuery* query);

}  // namespace uad::gst

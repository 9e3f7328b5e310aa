// SPDX-License-Identifier: LGPL-2.1-or-later
// A GstVideoFrame that unmaps itself, seen as a frame view of core.
#pragma once

#include <gst/video/video.h>

#include "core/base/pixels/frame_view.h"

namespace uad::gst {

/// Raw video that is read and painted without a converter, for pad templates.
#define UAD_VIDEO_FORMATS                                                                       \
  "{ I420, NV12, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8, YV12, NV21, " \
  "YUY2, UYVY, GRAY16_LE }"

/// The view is valid as long as the map. Strides and offsets of a GstVideoMeta are honoured.
/// @note Streaming thread only.
class MappedFrame {
 public:
  /// @param white_level  of GRAY16_LE frames.
  /// @throws Error(kShapeMismatch) for a format outside UAD_VIDEO_FORMATS; Error(kFailed) if the
  /// memory cannot be mapped or is shorter than the caps say.
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access, int white_level);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  [[nodiscard]] FrameView view() const { return as_const(view_); }
  /// Only after mapping with GST_MAP_WRITE.
  [[nodiscard]] MutableFrameView& writable() { return view_; }

 private:
  GstVideoFrame frame_{};
  MutableFrameView view_;
};

}  // namespace uad::gst

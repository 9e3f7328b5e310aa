// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/mapped_frame.h"

#include <string>

#include "core/base/error.h"

namespace uad::gst {
namespace {

PixelFormat pixel_format(const GstVideoInfo& info) {
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::kGray8;
    case GST_VIDEO_FORMAT_GRAY16_LE:
      return PixelFormat::kGray16;
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::kRgb;
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::kBgr;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA:
      return PixelFormat::kRgbx;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      return PixelFormat::kBgrx;
    case GST_VIDEO_FORMAT_xRGB:
    case GST_VIDEO_FORMAT_ARGB:
      return PixelFormat::kXrgb;
    case GST_VIDEO_FORMAT_xBGR:
    case GST_VIDEO_FORMAT_ABGR:
      return PixelFormat::kXbgr;
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::kI420;
    case GST_VIDEO_FORMAT_YV12:
      return PixelFormat::kYv12;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::kNv12;
    case GST_VIDEO_FORMAT_NV21:
      return PixelFormat::kNv21;
    case GST_VIDEO_FORMAT_YUY2:
      return PixelFormat::kYuy2;
    case GST_VIDEO_FORMAT_UYVY:
      return PixelFormat::kUyvy;
    default:
      throw Error(ErrorCode::kShapeMismatch,
                  "Video format " +
                      std::string(gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info))) +
                      " is not supported; put videoconvert in front.");
  }
}

Colorimetry colorimetry(const GstVideoInfo& info) {
  Colorimetry result;
  switch (info.colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:  // nearest of those that core knows
      result.matrix = YuvMatrix::kBt709;
      break;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      result.matrix = YuvMatrix::kBt2020;
      break;
    default:
      result.matrix = YuvMatrix::kBt601;
  }
  if ((info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0) {
    result.chroma_site = ChromaSite::kLeft;
  }
  const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  result.range = full ? YuvRange::kFull : YuvRange::kLimited;
  return result;
}

}  // namespace

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access,
                         int white_level) {
  const PixelFormat format = pixel_format(info);
  // NO_REF: the caller's reference outlives the map, and a second one would make painting copy
  const auto flags = static_cast<GstMapFlags>(static_cast<int>(access) |
                                              static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF));
  if (!gst_video_frame_map(&frame_, &info, buffer, flags)) {
    throw Error(ErrorCode::kFailed,
                "A video buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                    " bytes cannot be mapped as " + std::to_string(GST_VIDEO_INFO_WIDTH(&info)) +
                    "x" + std::to_string(GST_VIDEO_INFO_HEIGHT(&info)) +
                    "; the element upstream announces other caps than it sends.");
  }
  view_ = {format,
           GST_VIDEO_FRAME_WIDTH(&frame_),
           GST_VIDEO_FRAME_HEIGHT(&frame_),
           {},
           colorimetry(info),
           white_level};
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame_); ++plane) {
    view_.planes.at(plane) = {
        static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, plane)),
        GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, plane)};
  }
}

MappedFrame::~MappedFrame() { gst_video_frame_unmap(&frame_); }

}  // namespace uad::gst

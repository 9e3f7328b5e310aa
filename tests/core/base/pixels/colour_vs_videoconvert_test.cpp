// SPDX-License-Identifier: LGPL-2.1-or-later
// to_rgb beside GStreamer's own converter, on frames of noise.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "core/base/pixels/image.h"

namespace {

struct Case {
  GstVideoFormat format;
  uad::PixelFormat ours;
};

struct FrameDeleter {
  void operator()(GstVideoFrame* frame) const {
    gst_video_frame_unmap(frame);
    delete frame;
  }
};
using FramePtr = std::unique_ptr<GstVideoFrame, FrameDeleter>;

FramePtr new_frame(const GstVideoInfo& info, GstMapFlags flags) {
  GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  FramePtr frame(new GstVideoFrame);
  EXPECT_TRUE(gst_video_frame_map(frame.get(), &info, buffer, flags));
  gst_buffer_unref(buffer);  // the mapped frame holds its own reference
  return frame;
}

void fill_with_noise(GstVideoFrame& frame) {
  unsigned state = 5;
  auto* const bytes = static_cast<guint8*>(frame.map[0].data);
  for (gsize i = 0; i < frame.map[0].size; ++i) {
    bytes[i] = static_cast<guint8>((state = state * 1664525 + 1013904223) >> 24);
  }
}

uad::FrameView view_of(const GstVideoFrame& frame, const Case& c, uad::Colorimetry colorimetry) {
  uad::FrameView view;
  view.format = c.ours;
  view.width = GST_VIDEO_FRAME_WIDTH(&frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(&frame);
  view.colorimetry = colorimetry;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame); ++i) {
    view.planes[i] = {static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i)),
                      GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i)};
  }
  return view;
}

GstVideoInfo info_of(GstVideoFormat format, int width, int height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, static_cast<guint>(width), static_cast<guint>(height));
  return info;
}

/// Only the YUV formats come in more than one colorimetry; grey and RGB keep GStreamer's default.
void set_colorimetry(GstVideoInfo& info, uad::Colorimetry wanted) {
  if (!GST_VIDEO_INFO_IS_YUV(&info)) return;
  info.colorimetry.matrix = wanted.matrix == uad::YuvMatrix::kBt601 ? GST_VIDEO_COLOR_MATRIX_BT601
                            : wanted.matrix == uad::YuvMatrix::kBt709
                                ? GST_VIDEO_COLOR_MATRIX_BT709
                                : GST_VIDEO_COLOR_MATRIX_BT2020;
  info.colorimetry.range = wanted.range == uad::YuvRange::kFull ? GST_VIDEO_COLOR_RANGE_0_255
                                                                : GST_VIDEO_COLOR_RANGE_16_235;
  info.chroma_site = wanted.chroma_site == uad::ChromaSite::kLeft ? GST_VIDEO_CHROMA_SITE_MPEG2
                                                                  : GST_VIDEO_CHROMA_SITE_JPEG;
}

int largest_difference(const Case& c, int width, int height, uad::Colorimetry colorimetry) {
  GstVideoInfo from = info_of(c.format, width, height);
  set_colorimetry(from, colorimetry);
  const GstVideoInfo to = info_of(GST_VIDEO_FORMAT_RGB, width, height);
  const FramePtr input = new_frame(from, GST_MAP_READWRITE);
  const FramePtr output = new_frame(to, GST_MAP_READWRITE);
  fill_with_noise(*input);
  GstVideoConverter* const converter = gst_video_converter_new(&from, &to, nullptr);
  gst_video_converter_frame(converter, input.get(), output.get());
  gst_video_converter_free(converter);

  const uad::Image ours = uad::to_rgb(view_of(*input, c, colorimetry), {0, 0, width, height});
  int largest = 0;
  for (int y = 0; y < height; ++y) {
    const auto* const row =
        static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(output.get(), 0)) +
        y * GST_VIDEO_FRAME_PLANE_STRIDE(output.get(), 0);
    for (int i = 0; i < 3 * width; ++i) {
      largest = std::max(
          largest, std::abs(row[i] - ours.pixels[static_cast<std::size_t>(y * 3 * width + i)]));
    }
  }
  return largest;
}

class AgainstVideoconvert : public testing::TestWithParam<Case> {};

TEST_P(AgainstVideoconvert, WithinOneLevelForEveryMatrixRangeSiteAndSize) {
  gst_init(nullptr, nullptr);
  for (const auto matrix :
       {uad::YuvMatrix::kBt601, uad::YuvMatrix::kBt709, uad::YuvMatrix::kBt2020}) {
    for (const auto range : {uad::YuvRange::kLimited, uad::YuvRange::kFull}) {
      for (const auto site : {uad::ChromaSite::kCentred, uad::ChromaSite::kLeft}) {
        for (const auto& [width, height] : {std::pair{64, 48}, std::pair{63, 47}, std::pair{1, 1},
                                            std::pair{2, 3}, std::pair{322, 242}}) {
          EXPECT_LE(largest_difference(GetParam(), width, height, {matrix, range, site}), 1)
              << "matrix " << static_cast<int>(matrix) << " range " << static_cast<int>(range)
              << " site " << static_cast<int>(site) << " " << width << "x" << height;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, AgainstVideoconvert,
    testing::Values(Case{GST_VIDEO_FORMAT_I420, uad::PixelFormat::kI420},
                    Case{GST_VIDEO_FORMAT_NV12, uad::PixelFormat::kNv12},
                    Case{GST_VIDEO_FORMAT_YV12, uad::PixelFormat::kYv12},
                    Case{GST_VIDEO_FORMAT_NV21, uad::PixelFormat::kNv21},
                    Case{GST_VIDEO_FORMAT_YUY2, uad::PixelFormat::kYuy2},
                    Case{GST_VIDEO_FORMAT_UYVY, uad::PixelFormat::kUyvy},
                    Case{GST_VIDEO_FORMAT_GRAY8, uad::PixelFormat::kGray8},
                    Case{GST_VIDEO_FORMAT_GRAY16_LE, uad::PixelFormat::kGray16},
                    Case{GST_VIDEO_FORMAT_BGR, uad::PixelFormat::kBgr},
                    Case{GST_VIDEO_FORMAT_RGBx, uad::PixelFormat::kRgbx},
                    Case{GST_VIDEO_FORMAT_BGRx, uad::PixelFormat::kBgrx},
                    Case{GST_VIDEO_FORMAT_xRGB, uad::PixelFormat::kXrgb},
                    Case{GST_VIDEO_FORMAT_xBGR, uad::PixelFormat::kXbgr}),
    [](const auto& info) { return gst_video_format_to_string(info.param.format); });

}  // namespace

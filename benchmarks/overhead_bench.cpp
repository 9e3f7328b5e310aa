// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements add to each 1080p frame around the network: cutting, meta, painting.
//
// Run: meson devenv -C build benchmarks/overhead-bench MODEL.uad [FRAMES]
//   one line a format: medians in milliseconds of each element's share, and their sum
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

namespace {

using uad::gst::BufferPtr;

/// One element between two pads.
class Stage {
 public:
  Stage(const std::string& launch, const std::string& caps)
      : harness_(gst_harness_new_parse(launch.c_str())) {
    gst_harness_set_live(harness_, FALSE);  // so that uadinfer judges every frame
    gst_harness_set_src_caps_str(harness_, caps.c_str());
  }
  ~Stage() { gst_harness_teardown(harness_); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Pushes the frame through and replaces it by what comes out. @return milliseconds
  double run(BufferPtr& frame) {
    const auto start = std::chrono::steady_clock::now();
    if (gst_harness_push(harness_, frame.release()) != GST_FLOW_OK) {
      throw std::runtime_error("An element refused a frame; GST_DEBUG=uad*:3 says why.");
    }
    frame = BufferPtr::adopt(gst_harness_pull(harness_));
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    return taken.count();
  }

 private:
  GstHarness* harness_;
};

/// Noise around one level in every component.
BufferPtr picture(const std::string& caps) {
  GstVideoInfo info;
  gst_video_info_from_caps(&info,
                           uad::gst::CapsPtr::adopt(gst_caps_from_string(caps.c_str())).get());
  BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  GstMapInfo map;
  gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
  unsigned state = 1;
  for (gsize i = 0; i < map.size; ++i) {
    state = state * 1664525 + 1013904223;
    map.data[i] = static_cast<guint8>(112 + (state >> 27));
  }
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

double median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void measure(const std::string& format, const std::string& model, int frames) {
  const std::string caps = "video/x-raw,width=1920,height=1080,framerate=25/1,format=" + format;
  Stage preproc("uadpreproc model=" + model, caps);
  Stage infer("uadinfer messages=none model=" + model, caps);
  Stage overlay("uadoverlay", caps);
  const BufferPtr original = picture(caps);
  std::vector<double> cut, meta, paint, sum;
  for (int i = -5; i < frames; ++i) {  // the first ones warm up
    BufferPtr frame = BufferPtr::adopt(gst_buffer_copy_deep(original.get()));
    const double cut_ms = preproc.run(frame);
    double meta_ms = infer.run(frame);
    UadTimings timings{};
    uad_result_meta_get_timings(uad_buffer_get_result_meta(frame.get()), &timings);
    meta_ms -= timings.infer_ms;
    const double paint_ms = overlay.run(frame);
    if (i < 0) continue;
    cut.push_back(cut_ms);
    meta.push_back(meta_ms);
    paint.push_back(paint_ms);
    sum.push_back(cut_ms + meta_ms + paint_ms);
  }
  fmt::print("{:9} cut {:.2f}  meta {:.2f}  paint {:.2f}  together {:.2f} ms\n", format,
             median(cut), median(meta), median(paint), median(sum));
}

}  // namespace

int main(int count, char** words) try {
  gst_init(&count, &words);
  if (count < 2) {
    fmt::print(stderr, "usage: overhead-bench MODEL.uad [FRAMES]\n");
    return 2;
  }
  const int frames = count > 2 ? std::atoi(words[2]) : 100;
  for (const char* format : {"I420", "NV12", "YUY2", "RGB", "BGRx", "GRAY8", "GRAY16_LE"}) {
    measure(format, words[1], frames);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}

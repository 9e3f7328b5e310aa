// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements add to each 1080p frame around the network: cutting, meta, painting.
//
// Run: meson devenv -C build benchmarks/overhead-bench MODEL.uad [FRAMES [PICTURE]]
//   one line a format: medians in milliseconds of each element's share, and their sum. Without a
//   picture (or video, whose first frame is taken) the frame is noise, which is painted all over.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "benchmarks/measuring.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

namespace {

using uad::benchmarks::median;
using uad::gst::BufferPtr;
using uad::gst::MessagePtr;
using uad::gst::ObjectPtr;
using uad::gst::SamplePtr;

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
    const double start = uad::benchmarks::seconds();
    if (gst_harness_push(harness_, frame.release()) != GST_FLOW_OK) {
      throw std::runtime_error("An element refused a frame; GST_DEBUG=uad*:3 says why.");
    }
    frame = BufferPtr::adopt(gst_harness_pull(harness_));
    return (uad::benchmarks::seconds() - start) * 1e3;
  }

 private:
  GstHarness* harness_;
};

/// Noise around one level in every component.
BufferPtr noise(const std::string& caps) {
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

/// The first frame of a file.
BufferPtr picture_of(const std::string& file, const std::string& caps) {
  const std::string line = fmt::format(
      "filesrc location=\"{}\" ! decodebin ! videoconvert ! videoscale ! {} ! fakesink name=out "
      "num-buffers=1",
      file, caps);
  const auto pipeline =
      ObjectPtr<GstElement>::adopt(gst_parse_launch_full(line.c_str(), nullptr, {}, nullptr));
  const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto out =
      ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto end = MessagePtr::adopt(
      gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  GstSample* last = nullptr;
  g_object_get(out.get(), "last-sample", &last, nullptr);
  const SamplePtr sample = SamplePtr::adopt(last);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (!sample) throw std::runtime_error(file + " cannot be read as a picture or video.");
  return BufferPtr::retain(gst_sample_get_buffer(sample.get()));
}

void measure(const std::string& format, const std::string& model, int frames,
             const std::string& file) {
  const std::string size = "video/x-raw,width=1920,height=1080,format=" + format;
  const std::string caps = size + ",framerate=25/1";
  Stage preproc("uadpreproc model=" + model, caps);
  Stage infer("uadinfer messages=none model=" + model, caps);
  Stage overlay("uadoverlay", caps);
  const BufferPtr original = file.empty() ? noise(caps) : picture_of(file, size);
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
    fmt::print(stderr, "usage: overhead-bench MODEL.uad [FRAMES [PICTURE]]\n");
    return 2;
  }
  const int frames = count > 2 ? std::atoi(words[2]) : 100;
  for (const char* format : {"I420", "NV12", "YUY2", "RGB", "BGRx", "GRAY8", "GRAY16_LE"}) {
    measure(format, words[1], frames, count > 3 ? words[3] : "");
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}

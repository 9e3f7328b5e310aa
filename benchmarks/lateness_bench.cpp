// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether learning beside the video delays it: the lateness of every frame at the sink while a
// model judges, while uadtrain collects and fits beside it, and while the new model is swapped in.
//
// Run: meson devenv -C build benchmarks/lateness-bench MODEL.uad [SECONDS [OPTIONS [LAUNCH]]]
//   on two cores: taskset -c 0,1. SECONDS of each phase that has no end of its own (10). OPTIONS
//   are those of uadtrain ("frames=60 options=options,k=1"); weights come from UAD_WEIGHTS_DIR.
//   LAUNCH replaces the test camera (720p, 30 frames a second).
//   One line a phase: frames, lateness in milliseconds (median, 99 %, worst) against the frame's
//   timestamp on the pipeline's clock, and the worst over the time from frame to frame.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gst/gst.h>

#include "gst-plugins/common/ptr.h"

namespace {

using uad::gst::MessagePtr;
using uad::gst::ObjectPtr;

constexpr char kCamera[] =
    "videotestsrc is-live=true pattern=ball ! "
    "video/x-raw,format=I420,width=1280,height=720,framerate=30/1";
constexpr std::array kPhases = {"starting", "judging",  "collecting",
                                "fitting",  "swapping", "judging anew"};

/// Notes when each frame reaches a pad. @note hear() on the streaming thread; read it afterwards.
class LatenessLog {
 public:
  explicit LatenessLog(GstElement* sink) : sink_(sink) {
    const auto pad = ObjectPtr<GstPad>::adopt(gst_element_get_static_pad(sink, "sink"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          static_cast<LatenessLog*>(self)->hear(GST_PAD_PROBE_INFO_BUFFER(info));
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  /// Frames count in this phase from now on. @note Thread-safe.
  void enter(std::size_t phase) { phase_ = phase; }
  void print() {
    for (std::size_t i = 1; i < kPhases.size(); ++i) {
      std::vector<double>& ms = lateness_ms_[i];
      if (ms.empty()) continue;
      std::sort(ms.begin(), ms.end());
      fmt::print(
          "{:13} {:5} frames  median {:6.2f}  99 % {:6.2f}  worst {:6.2f} ms  {:.2f} of a "
          "frame's time\n",
          kPhases[i], ms.size(), ms[ms.size() / 2], ms[ms.size() * 99 / 100], ms.back(),
          ms.back() / interval_ms_);
    }
  }

 private:
  void hear(GstBuffer* buffer) {
    const auto clock = ObjectPtr<GstClock>::adopt(gst_element_get_clock(sink_));
    if (!clock || !GST_BUFFER_PTS_IS_VALID(buffer)) return;
    const GstClockTime due = gst_element_get_base_time(sink_) + GST_BUFFER_PTS(buffer);
    const auto late = GST_CLOCK_DIFF(due, gst_clock_get_time(clock.get()));
    lateness_ms_[phase_].push_back(static_cast<double>(late) / GST_MSECOND);
    if (GST_BUFFER_DURATION_IS_VALID(buffer)) {
      interval_ms_ = static_cast<double>(GST_BUFFER_DURATION(buffer)) / GST_MSECOND;
    }
  }

  GstElement* sink_;
  std::atomic<std::size_t> phase_{0};
  std::array<std::vector<double>, kPhases.size()> lateness_ms_;
  double interval_ms_ = 1000.0 / 30;
};

ObjectPtr<GstElement> child(const ObjectPtr<GstElement>& pipeline, const char* name) {
  return ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

/// A pipeline that plays until this ends, whatever ends it.
class Playing {
 public:
  explicit Playing(GstElement* pipeline) : pipeline_(pipeline) {
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  }
  ~Playing() { end(); }
  Playing(const Playing&) = delete;
  Playing& operator=(const Playing&) = delete;
  void end() const { gst_element_set_state(pipeline_, GST_STATE_NULL); }

 private:
  GstElement* pipeline_;
};

/// Until an element message of this name.
void wait_for(GstBus* bus, const char* name) {
  while (true) {
    const auto message = MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus, 600 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
    if (!message || GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ELEMENT) {
      throw std::runtime_error(
          fmt::format("The pipeline ended before {}; GST_DEBUG=uad*:3 says why.", name));
    }
    if (gst_message_has_name(message.get(), name)) return;
  }
}

void measure(const std::string& model, std::chrono::seconds time, const std::string& options,
             const std::string& camera) {
  const std::string line = fmt::format(
      "{} ! uadtrain name=train collect=false min-difference=0 output={} {} ! uadinfer name=infer "
      "watch=true messages=none model={} ! fakesink name=sink sync=false",
      camera, model, options, model);
  const auto pipeline = ObjectPtr<GstElement>::adopt(
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, nullptr));
  if (!pipeline) throw std::runtime_error("This is no pipeline: " + line);
  const auto sink = child(pipeline, "sink");
  const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  LatenessLog log(sink.get());
  const Playing playing(pipeline.get());  // ends before the log that its threads write to
  std::this_thread::sleep_for(std::chrono::seconds(3));  // the model is being loaded
  log.enter(1);
  std::this_thread::sleep_for(time);
  gst_bus_set_flushing(bus.get(), TRUE);  // uadinfer's progress is not waited for
  gst_bus_set_flushing(bus.get(), FALSE);
  log.enter(2);
  g_object_set(child(pipeline, "train").get(), "collect", TRUE, nullptr);
  wait_for(bus.get(), "uad-progress");
  log.enter(3);
  wait_for(bus.get(), "uad-model-ready");
  log.enter(4);  // from the file's being there, over its loading, to the first frames judged by it
  wait_for(bus.get(), "uad-model-changed");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  log.enter(5);
  std::this_thread::sleep_for(time);
  playing.end();
  log.print();
}

}  // namespace

int main(int count, char** words) try {
  gst_init(&count, &words);
  if (count < 2) {
    fmt::print(stderr, "usage: lateness-bench MODEL.uad [SECONDS [OPTIONS [LAUNCH]]]\n");
    return 2;
  }
  namespace fs = std::filesystem;
  const fs::path model = fs::temp_directory_path() / "lateness-bench.uad";  // it is replaced
  fs::copy_file(words[1], model, fs::copy_options::overwrite_existing);
  measure(model, std::chrono::seconds(count > 2 ? std::atoi(words[2]) : 10),
          count > 3 ? words[3] : "frames=60 options=options,k=1", count > 4 ? words[4] : kCamera);
  fs::remove(model);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "lateness-bench: {}\n", error.what());
  return 1;
}

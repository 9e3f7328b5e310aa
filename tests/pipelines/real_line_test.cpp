// SPDX-License-Identifier: LGPL-2.1-or-later
// One live pipeline over a real video: it collects, learns, calibrates, changes its model and
// flags.
#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/ptr.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using gst::BufferPtr;
using gst::MessagePtr;
using gst::ObjectPtr;
using gst::SamplePtr;

constexpr char kCaps[] = "video/x-raw,format=I420,width=160,height=90,framerate=30/1";
constexpr double kFps = 29.83;

/// Every frame of a video, small enough to be kept.
std::vector<BufferPtr> decode(const std::string& file) {
  const std::string line = "filesrc location=" + file +
                           " ! decodebin ! videoconvert ! videoscale ! video/x-raw,format=I420,"
                           "width=160,height=90 ! appsink name=sink sync=false";
  const auto pipeline = ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  const auto sink =
      ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::vector<BufferPtr> frames;
  while (const auto sample = SamplePtr::adopt(gst_app_sink_pull_sample(GST_APP_SINK(sink.get())))) {
    frames.push_back(BufferPtr::retain(gst_sample_get_buffer(sample.get())));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return frames;
}

/// A camera that shows these frames eight times as fast as they were taken, and the pipeline on it.
class Line {
 public:
  explicit Line(const std::string& elements)
      : pipeline_(ObjectPtr<GstElement>::adopt(
            gst_parse_launch((std::string("appsrc name=camera is-live=true format=time caps=") +
                              kCaps + " ! " + elements + " ! fakesink sync=false")
                                 .c_str(),
                             nullptr))),
        camera_(
            ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "camera"))),
        bus_(ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()))) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Line() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  /// @return the number that uadinfer gives this frame.
  guint64 show(const BufferPtr& frame) {
    GstBuffer* copy = gst_buffer_copy(frame.get());
    GST_BUFFER_PTS(copy) = static_cast<GstClockTime>(static_cast<double>(shown_) / kFps * 1e9);
    GST_BUFFER_DURATION(copy) = static_cast<GstClockTime>(1e9 / kFps);
    gst_app_src_push_buffer(GST_APP_SRC(camera_.get()), copy);
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    return shown_++;
  }
  void end() { gst_app_src_end_of_stream(GST_APP_SRC(camera_.get())); }
  /// The next message of these kinds; empty if there is none in time.
  MessagePtr message(GstClockTime deadline) {
    return MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus_.get(), deadline,
        static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  }

 private:
  ObjectPtr<GstElement> pipeline_, camera_;
  ObjectPtr<GstBus> bus_;
  guint64 shown_ = 0;
};

/// Where something is wrong in the video, and where nothing is; seconds, half a second around each
/// edge left out. What stands elsewhere after the hand was there belongs to neither.
bool anomalous(double s) {
  return (s >= 6.5 && s < 13.4) || (s >= 16.5 && s < 29.4) || (s >= 31.5 && s < 36.4);
}
bool calm(double s) { return s < 5.5; }

struct Share {
  int rejected = 0, judged = 0;
  void count(bool reject) {
    ++judged;
    rejected += reject ? 1 : 0;
  }
  [[nodiscard]] double value() const { return static_cast<double>(rejected) / judged; }
};

TEST(RealLine, CollectsLearnsCalibratesSwapsAndFlags) {
  gst_init(nullptr, nullptr);
  const auto video = test::shared_data("video/bottle-detection.mp4");
  if (video.empty()) GTEST_SKIP() << "needs the shared data: set UAD_SHARED_DATA";
  const std::vector<BufferPtr> frames = decode(video);
  ASSERT_EQ(frames.size(), 1189U);
  const test::TempDir folder;
  const std::string model = folder / "line.uad";
  Line line("uadtrain frames=80 every=2 false-reject-rate=0.05 output=" + model +
            " options=\"options,backbone=gabor,resize=(string)64x96,k=5\" ! "
            "uadinfer watch=true model=" +
            model);
  std::string ready_rule, changed_why;
  std::map<guint64, double> seconds;  // of the video, by frame
  Share wrong, right;
  const auto hear = [&](GstClockTime deadline) {
    const MessagePtr message = line.message(deadline);
    if (!message) return false;
    EXPECT_NE(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ELEMENT) return false;
    const GstStructure* s = gst_message_get_structure(message.get());
    if (gst_structure_has_name(s, "uad-model-ready")) {
      ready_rule = gst_structure_get_string(s, "threshold-rule");
    } else if (gst_structure_has_name(s, "uad-model-changed")) {
      changed_why = gst_structure_get_string(s, "why");
    } else if (gst_structure_has_name(s, "uad-result")) {
      guint64 frame = 0;
      gst_structure_get_uint64(s, "frame", &frame);
      const bool reject = std::string(gst_structure_get_string(s, "verdict")) == "REJECT";
      if (seconds.contains(frame) && anomalous(seconds[frame])) wrong.count(reject);
      if (seconds.contains(frame) && calm(seconds[frame])) right.count(reject);
    }
    return true;
  };
  // the good run of the video again and again, as long as it takes to learn it
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (std::size_t i = 0; changed_why.empty(); i = (i + 1) % 165) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    line.show(frames[i]);
    while (hear(0)) {
    }
  }
  EXPECT_EQ(ready_rule.find("promised false-reject rate"), 0U) << ready_rule;
  EXPECT_EQ(changed_why, "watch");
  for (std::size_t i = 0; i < frames.size(); ++i) {
    seconds[line.show(frames[i])] = static_cast<double>(i) / kFps;
    while (hear(0)) {
    }
  }
  line.end();
  while (hear(10 * GST_SECOND)) {
  }
  RecordProperty("rejected_where_wrong", std::to_string(wrong.value()));
  RecordProperty("rejected_where_right", std::to_string(right.value()));
  ASSERT_GT(wrong.judged, 50);
  ASSERT_GT(right.judged, 10);
  EXPECT_GE(wrong.value(), 0.9) << wrong.rejected << " of " << wrong.judged;
  EXPECT_LE(right.value(), 0.2) << right.rejected << " of " << right.judged;
}

}  // namespace
}  // namespace uad

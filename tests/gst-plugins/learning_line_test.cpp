// SPDX-License-Identifier: LGPL-2.1-or-later
// uadtrain and uadinfer in one live pipeline: no frame is lost while one learns and the other
// changes its model, however slow the models are.
#include <mutex>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using Clock = std::chrono::steady_clock;

class LearningLine : public ElementTest {};

/// Presentation times of the buffers that pass a pad, and the longest time between two of them.
class Passing {
 public:
  Passing(GstElement* pipeline, const char* element, const char* pad_name) {
    const auto found =
        gst::ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), element));
    const auto pad =
        gst::ObjectPtr<GstPad>::adopt(gst_element_get_static_pad(found.get(), pad_name));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          static_cast<Passing*>(self)->add(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  [[nodiscard]] std::vector<GstClockTime> times() const {
    const std::lock_guard guard(lock_);
    return times_;
  }
  [[nodiscard]] std::chrono::duration<double> longest_gap() const {
    const std::lock_guard guard(lock_);
    return longest_gap_;
  }

 private:
  void add(GstClockTime time) {
    const auto now = Clock::now();
    const std::lock_guard guard(lock_);
    if (!times_.empty()) longest_gap_ = std::max(longest_gap_, now - last_);
    last_ = now;
    times_.push_back(time);
  }
  mutable std::mutex lock_;  // guards what follows
  std::vector<GstClockTime> times_;
  Clock::time_point last_;
  Clock::duration longest_gap_{0};
};

/// The next element message or error; empty after 10 s.
MessagePtr next(GstBus* bus) {
  return MessagePtr::adopt(gst_bus_timed_pop_filtered(
      bus, 10 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR)));
}

TEST_F(LearningLine, ModelsOfTwoSecondsAFrameLoseNoFrameWhileOneIsLearnedAndSwappedIn) {
  const std::string file = model({.delay_ms = 2000});
  const std::string line =
      "videotestsrc name=camera is-live=true pattern=blink ! "
      "video/x-raw,format=GRAY8,width=64,height=48,framerate=100/1 ! "
      "uadtrain frames=20 options=options,fit_delay_ms=500,delay_ms=2000,offset=5 output=" +
      file + " ! uadinfer watch=true max-age=60000 model=" + file +
      " ! fakesink name=sink sync=false";
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  ASSERT_TRUE(pipeline);
  const Passing taken(pipeline.get(), "camera", "src");
  const Passing shown(pipeline.get(), "sink", "sink");
  const auto bus = gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);

  double score = -1;
  int by_the_old = 0;
  std::string why;
  const auto give_up = Clock::now() + std::chrono::seconds(60);
  while (score < 5) {  // which is the offset of the model that is learned here
    ASSERT_LT(Clock::now(), give_up) << "the learned model has judged nothing";
    const MessagePtr message = next(bus.get());
    ASSERT_TRUE(message);
    ASSERT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_ELEMENT) << text_of(message);
    const GstStructure* fields = gst_message_get_structure(message.get());
    if (gst_structure_has_name(fields, "uad-model-changed")) why = field(message, "why");
    if (!gst_structure_has_name(fields, "uad-result")) continue;
    gst_structure_get_double(fields, "score", &score);
    by_the_old += score < 5 ? 1 : 0;
  }
  EXPECT_EQ(why, "watch");
  EXPECT_GE(by_the_old, 1);

  gst_element_send_event(pipeline.get(), gst_event_new_eos());
  const auto end =
      MessagePtr::adopt(gst_bus_timed_pop_filtered(bus.get(), 10 * GST_SECOND, GST_MESSAGE_EOS));
  EXPECT_TRUE(end);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_EQ(shown.times(), taken.times()) << "each frame once, in its order";
  EXPECT_LT(taken.longest_gap().count(), 1.5) << "the camera never had to wait for two seconds";
}

}  // namespace
}  // namespace uad::testing

// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer with several frames in flight: order, events, queries, flushes, errors, states.
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class UadinferFlight : public ElementTest {
 protected:
  std::string four(const StubOptions& options = {}, const std::string& more = "") {
    return "uadinfer frames-in-flight=4 " + more + " model=" + model(options);
  }
};

/// Waits for it.
BufferPtr pull(Harness& h) { return BufferPtr::adopt(gst_harness_pull(h.get())); }

GstClockTime time_of(int number) { return static_cast<GstClockTime>(number) * 40 * GST_MSECOND; }

double score_of(const BufferPtr& buffer) {
  const UadResultMeta* meta = buffer ? uad_buffer_get_result_meta(buffer.get()) : nullptr;
  return meta != nullptr ? uad_result_meta_get_score(meta) : -1;
}

GstEvent* mark() {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("mark"));
}

void new_segment(Harness& h) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
}

void flush(Harness& h) {
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  new_segment(h);
}

/// What comes out, one letter each: b for a buffer, m for a mark, c for caps, e for the end.
class Record {
 public:
  explicit Record(Harness& h) {
    gst_pad_add_probe(h.get()->sinkpad,
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                      note, this, nullptr);
  }
  std::string text() {
    const std::lock_guard guard(lock_);
    return text_;
  }

 private:
  static GstPadProbeReturn note(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Record*>(data);
    const std::lock_guard guard(self->lock_);
    if (GST_IS_BUFFER(info->data)) {
      self->text_ += 'b';
      return GST_PAD_PROBE_OK;
    }
    const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
    if (type == GST_EVENT_CUSTOM_DOWNSTREAM) self->text_ += 'm';
    if (type == GST_EVENT_CAPS) self->text_ += 'c';
    if (type == GST_EVENT_EOS) self->text_ += 'e';
    return GST_PAD_PROBE_OK;
  }
  std::mutex lock_;
  std::string text_;
};

TEST_F(UadinferFlight, FramesLeaveInTheirOrderEachWithItsOwnResult) {
  Harness h(four({.delay_ms = 3}));
  std::jthread camera([&] {
    for (int i = 0; i < 25; ++i) ASSERT_EQ(h.push(10 * i, i), GST_FLOW_OK);
  });
  for (int i = 0; i < 25; ++i) {
    const BufferPtr out = pull(h);
    ASSERT_TRUE(out);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), time_of(i));
    EXPECT_NEAR(score_of(out), 10 * i / 255.0, 1e-5);
    EXPECT_EQ(uad_result_meta_get_age(uad_buffer_get_result_meta(out.get())), 0U);
  }
}

TEST_F(UadinferFlight, AsManyAreTakenInAsThePropertySaysAndNoMore) {
  Harness h(four({.delay_ms = 1000}));
  for (int i = 0; i < 4; ++i) ASSERT_EQ(h.push(10, i), GST_FLOW_OK);
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 0U) << "the first is still analysed";
  std::atomic<bool> in{false};
  std::jthread camera([&] {
    h.push(10, 4);
    in = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(in) << "the fifth waits until there is room";
  EXPECT_TRUE(pull(h));
}

TEST_F(UadinferFlight, TheLastFrameLeavesWithoutASuccessor) {
  Harness h(four({.delay_ms = 5}));
  for (int i = 0; i < 3; ++i) {  // a triggered camera: one part, then nothing for long
    h.push(100, i);
    EXPECT_EQ(GST_BUFFER_PTS(pull(h).get()), time_of(i));
  }
}

TEST_F(UadinferFlight, EventsKeepTheirPlaceBetweenFrames) {
  Harness h(four({.delay_ms = 30}));
  Record record(h);
  for (int i = 0; i < 3; ++i) {
    h.push(0, i);
    gst_harness_push_event(h.get(), mark());
  }
  h.set_caps("video/x-raw,format=RGB,width=32,height=16,framerate=25/1");
  h.push(0, 3);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_EQ(record.text(), "bmbmbmcbe");
}

TEST_F(UadinferFlight, EndOfStreamFollowsTheLastFrameAndItsResult) {
  Harness h(four({.delay_ms = 50}));
  for (int i = 0; i < 4; ++i) h.push(200, i);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 4U);
  EXPECT_EQ(h.messages("uad-result").size(), 4U);
}

TEST_F(UadinferFlight, AFlushDropsWhatIsInFlightAndTheStreamGoesOn) {
  Harness h(four({.delay_ms = 200}, "batch-size=1"));
  for (int i = 0; i < 4; ++i) h.push(200, i);
  flush(h);
  h.push(100, 20);
  const BufferPtr out = pull(h);
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), time_of(20));
  EXPECT_NEAR(score_of(out), 100 / 255.0, 1e-5);
  EXPECT_EQ(gst_harness_buffers_in_queue(h.get()), 0U);
}

TEST_F(UadinferFlight, AFlushWakesTheOneThatWaitsForRoom) {
  Harness h(four({.delay_ms = 3000}));
  for (int i = 0; i < 4; ++i) h.push(0, i);
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    gst_harness_push_event(h.get(), gst_event_new_flush_start());
  });
  const auto start = Clock::now();
  EXPECT_EQ(h.push(0, 4), GST_FLOW_FLUSHING);
  EXPECT_LT(Clock::now() - start, 2s);
}

TEST_F(UadinferFlight, StickyEventsOutliveAFlush) {
  Harness h(four({.delay_ms = 300}));
  h.push(0, 0);
  GstTagList* tags = gst_tag_list_new(GST_TAG_TITLE, "line 3", nullptr);
  gst_harness_push_event(h.get(), gst_event_new_tag(tags));
  flush(h);
  h.push(0, 1);
  ASSERT_TRUE(pull(h));
  const auto kept =
      gst::EventPtr::adopt(gst_pad_get_sticky_event(h.get()->sinkpad, GST_EVENT_TAG, 0));
  EXPECT_TRUE(kept);
}

TEST_F(UadinferFlight, AnErrorInTheMiddleEndsTheStreamAfterTheFramesBefore) {
  Harness h(four({.delay_ms = 5, .throw_at = 3}));
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; i < 50 && flow == GST_FLOW_OK; ++i) flow = h.push(10, i);
  EXPECT_EQ(flow, GST_FLOW_ERROR);
  EXPECT_EQ(text_of(h.message(GST_MESSAGE_ERROR)), "The stub gave up.");
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 2U);
}

TEST_F(UadinferFlight, WhatDownstreamAnswersReachesUpstream) {
  Harness h(four());
  gst_pad_add_probe(
      h.get()->sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
        info->data = nullptr;
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
        return GST_PAD_PROBE_HANDLED;
      },
      nullptr, nullptr);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; i < 50 && flow == GST_FLOW_OK; ++i) flow = h.push(10, i);
  EXPECT_EQ(flow, GST_FLOW_EOS);
}

TEST_F(UadinferFlight, StateChangeDoesNotWaitForAnAnalysisThatHangs) {
  Harness h(four({.delay_ms = 3000}, "batch-size=1"));
  const int before = std::max(0, stub_counter("uad_stub_begun"));  // none is loaded: -1
  for (int i = 0; i < 4; ++i) h.push(0, i);
  while (stub_counter("uad_stub_begun") == before) std::this_thread::yield();
  const int begun = stub_counter("uad_stub_begun");
  const auto infer = h.element("uadinfer");
  const auto start = Clock::now();
  EXPECT_EQ(gst_element_set_state(infer.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  EXPECT_LT(Clock::now() - start, 2500ms);
  EXPECT_EQ(gst_element_set_state(infer.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_LT(Clock::now() - start, 5500ms) << "the one in the network is waited for";
  EXPECT_EQ(stub_counter("uad_stub_begun"), begun) << "the others are given up";
}

TEST_F(UadinferFlight, AnElementRestartedIsAnElementNew) {
  Harness h(four());
  h.push(0, 0);
  ASSERT_TRUE(pull(h));
  const auto bin = gst::ObjectPtr<GstElement>::retain(h.get()->element);
  gst_element_set_state(bin.get(), GST_STATE_READY);
  gst_element_set_state(bin.get(), GST_STATE_PLAYING);
  gst_harness_push_event(h.get(), gst_event_new_stream_start("again"));
  h.set_caps(Harness::kGrey);
  new_segment(h);
  h.push(200, 0);
  EXPECT_NEAR(score_of(pull(h)), 200 / 255.0, 1e-5);
}

TEST_F(UadinferFlight, LatencyIsWhatAFrameTakesAndWhatTheQueueCanHold) {
  Harness h(four({.delay_ms = 70}, "live-policy=every"), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  gst_pad_set_query_function(h.get()->srcpad, [](GstPad*, GstObject*, GstQuery* query) -> gboolean {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return FALSE;
    gst_query_set_latency(query, TRUE, 10 * GST_MSECOND, 10 * GST_MSECOND);
    return TRUE;
  });
  const auto query = gst::QueryPtr::adopt(gst_query_new_latency());
  ASSERT_TRUE(gst_pad_peer_query(h.get()->sinkpad, query.get()));
  gboolean live = FALSE;
  GstClockTime least = 0;
  GstClockTime most = 0;
  gst_query_parse_latency(query.get(), &live, &least, &most);
  EXPECT_TRUE(live);
  EXPECT_GE(least, 80 * GST_MSECOND);
  EXPECT_EQ(most, 170 * GST_MSECOND) << "four frames of 40 ms";
}

guint buffers_asked_for(Harness& h) {
  const auto caps = gst::CapsPtr::adopt(gst_caps_from_string(Harness::kGrey));
  const auto query = gst::QueryPtr::adopt(gst_query_new_allocation(caps.get(), TRUE));
  if (!gst_pad_peer_query(h.get()->srcpad, query.get())) return 0;
  guint least = 0;
  if (gst_query_get_n_allocation_pools(query.get()) == 0) return 0;
  gst_query_parse_nth_allocation_pool(query.get(), 0, nullptr, nullptr, &least, nullptr);
  return least;
}

TEST_F(UadinferFlight, UpstreamIsAskedForTheBuffersThatAreHeld) {
  Harness one("uadinfer model=" + model());
  EXPECT_EQ(buffers_asked_for(one), 0U);
  Harness several(four());
  EXPECT_EQ(buffers_asked_for(several), 4U);
}

TEST_F(UadinferFlight, BuffersThatDownstreamWantsAreAddedTo) {
  Harness h(four());
  gst_pad_set_query_function(h.get()->sinkpad,
                             [](GstPad* pad, GstObject* parent, GstQuery* query) -> gboolean {
                               if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
                                 return gst_pad_query_default(pad, parent, query);
                               }
                               gst_query_add_allocation_pool(query, nullptr, 64 * 48, 2, 0);
                               return TRUE;
                             });
  EXPECT_EQ(buffers_asked_for(h), 6U);
}

TEST_F(UadinferFlight, ADrainLeavesNothingInside) {
  Harness h(four({.delay_ms = 40}));
  for (int i = 0; i < 3; ++i) h.push(0, i);
  const auto query = gst::QueryPtr::adopt(gst_query_new_drain());
  gst_pad_peer_query(h.get()->srcpad, query.get());
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 3U);
}

TEST_F(UadinferFlight, AModelThatIsReplacedJudgesTheFramesTakenInBefore) {
  Harness h(four({.delay_ms = 60}, "batch-size=1"));
  h.push(0, 0);
  ASSERT_TRUE(pull(h));
  for (int i = 1; i < 4; ++i) h.push(0, i);
  const std::string other = model({.offset = 0.7}, "other.uad");
  g_object_set(h.element("uadinfer").get(), "model", other.c_str(), nullptr);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  h.push(0, 4);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(score_of(pull(h)), 0, 1e-5) << i;
  EXPECT_NEAR(score_of(pull(h)), 0.7, 1e-5);
}

/// A test picture through the element into a sink that keeps the newest frame.
class Line {
 public:
  explicit Line(const std::string& element)
      : pipeline_(gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(
            ("videotestsrc ! " + element + " ! capsfilter name=caps caps=" + Harness::kGrey +
             " ! fakesink name=out")
                .c_str(),
            nullptr))) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    gst_element_get_state(pipeline_.get(), nullptr, nullptr, 20 * GST_SECOND);
  }
  ~Line() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  [[nodiscard]] GstElement* get() const { return pipeline_.get(); }
  [[nodiscard]] gst::ObjectPtr<GstElement> part(const char* name) const {
    return gst::ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(get()), name));
  }
  [[nodiscard]] gst::SamplePtr newest() const {
    GstSample* sample = nullptr;
    g_object_get(part("out").get(), "last-sample", &sample, nullptr);
    return gst::SamplePtr::adopt(sample);
  }
  /// @return its type; GST_MESSAGE_UNKNOWN after 20 s.
  [[nodiscard]] GstMessageType wait_for_end() const {
    const auto bus = gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(get()));
    const auto end = MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    return end ? GST_MESSAGE_TYPE(end.get()) : GST_MESSAGE_UNKNOWN;
  }

 private:
  gst::ObjectPtr<GstElement> pipeline_;
};

TEST_F(UadinferFlight, SeeksEndWithTheLastFrameOfTheLastSegment) {
  const Line line(four({.delay_ms = 2}));
  GstClockTime stop = 0;
  for (int i = 0; i < 15; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * (i % 4)));
    stop = static_cast<GstClockTime>(i + 1) * GST_SECOND;
    ASSERT_TRUE(gst_element_seek(line.get(), 1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                 GST_SEEK_TYPE_SET, static_cast<gint64>(stop - GST_SECOND),
                                 GST_SEEK_TYPE_SET, static_cast<gint64>(stop)));
  }
  EXPECT_EQ(line.wait_for_end(), GST_MESSAGE_EOS);
  const gst::SamplePtr newest = line.newest();
  ASSERT_TRUE(newest);
  EXPECT_EQ(GST_BUFFER_PTS(gst_sample_get_buffer(newest.get())), stop - 40 * GST_MSECOND);
}

TEST_F(UadinferFlight, DownstreamMayAskForOtherCapsWhileFramesAreInFlight) {
  const Line line(four({.delay_ms = 5}));
  const auto other = gst::CapsPtr::adopt(
      gst_caps_from_string("video/x-raw,format=GRAY8,width=32,height=24,framerate=25/1"));
  g_object_set(line.part("caps").get(), "caps", other.get(), nullptr);
  const auto end = Clock::now() + 10s;
  int width = 0;
  while (width != 32 && Clock::now() < end) {
    std::this_thread::sleep_for(5ms);
    const gst::SamplePtr newest = line.newest();
    if (!newest) continue;
    const GstStructure* now = gst_caps_get_structure(gst_sample_get_caps(newest.get()), 0);
    gst_structure_get_int(now, "width", &width);
    EXPECT_EQ(gst_buffer_get_size(gst_sample_get_buffer(newest.get())), width == 32 ? 768U : 3072U);
  }
  EXPECT_EQ(width, 32);
}

TEST_F(UadinferFlight, VideoThatNeverWaitsDoesNotUseTheQueue) {
  Harness h(four({.delay_ms = 2000}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(h.through(0, i)) << "live: the latest result";
}

}  // namespace
}  // namespace uad::testing

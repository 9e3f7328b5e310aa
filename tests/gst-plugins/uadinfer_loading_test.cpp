// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer and its model: states, waiting, reload, failures.
#include <cmath>
#include <future>
#include <thread>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class UadinferLoading : public ElementTest {};

constexpr int kLong = 60'000;  // ms; no test waits for it

TEST_F(UadinferLoading, PausedIsReachedWithin100MsWhileTheModelLoads) {
  const std::string line =
      "videotestsrc num-buffers=2 ! video/x-raw,format=GRAY8,width=64,height=48 ! uadinfer model=" +
      model({.load_delay_ms = 3000}) + " ! fakesink";
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  const auto start = Clock::now();
  const GstStateChangeReturn result = gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  EXPECT_LT(Clock::now() - start, 100ms);
  EXPECT_EQ(result, GST_STATE_CHANGE_ASYNC);
  GstState state = GST_STATE_NULL;
  EXPECT_EQ(gst_element_get_state(pipeline.get(), &state, nullptr, 6 * GST_SECOND),
            GST_STATE_CHANGE_SUCCESS)
      << "the first frame comes when the model is there";
  EXPECT_GE(Clock::now() - start, 2900ms);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

TEST_F(UadinferLoading, LiveSourceIsNotHeldUpWhileTheModelLoads) {
  const std::string line =
      "videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=64,height=48 ! uadinfer model=" +
      model({.load_delay_ms = kLong}) + " ! fakesink name=sink";
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  const auto start = Clock::now();
  EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  EXPECT_LT(Clock::now() - start, 100ms);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_LT(Clock::now() - start, 1s) << "the loader is cancelled";
}

TEST_F(UadinferLoading, FlushWakesTheFrameThatWaitsForTheModel) {
  Harness h("uadinfer model=" + model({.load_delay_ms = kLong}));
  auto flow = std::async(std::launch::async, [&] { return h.push(10, 0); });
  EXPECT_EQ(flow.wait_for(50ms), std::future_status::timeout);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  EXPECT_EQ(flow.get(), GST_FLOW_FLUSHING);
}

TEST_F(UadinferLoading, GoingToReadyWakesTheFrameThatWaitsForTheModel) {
  Harness h("uadinfer model=" + model({.load_delay_ms = kLong}));
  auto flow = std::async(std::launch::async, [&] { return h.push(10, 0); });
  EXPECT_EQ(flow.wait_for(50ms), std::future_status::timeout);
  gst_element_set_state(h.get()->element, GST_STATE_READY);
  EXPECT_EQ(flow.get(), GST_FLOW_FLUSHING);
}

TEST_F(UadinferLoading, StreamGoesOnAfterAFlush) {
  Harness h("uadinfer model=" + model());
  ASSERT_TRUE(h.through(10, 0));
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  const BufferPtr out = h.through(200, 0);
  ASSERT_TRUE(out);
  EXPECT_EQ(uad_result_meta_get_verdict(uad_buffer_get_result_meta(out.get())), UAD_VERDICT_REJECT);
}

TEST_F(UadinferLoading, EndOfStreamBeforeTheFirstFramePasses) {
  Harness h("uadinfer model=" + model({.load_delay_ms = kLong}));
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  bool eos = false;
  while (GstEvent* event = gst_harness_try_pull_event(h.get())) {
    eos = eos || GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
  }
  EXPECT_TRUE(eos);
}

TEST_F(UadinferLoading, ReloadSwapsBetweenTwoFramesAndLosesNone) {
  Harness h("uadinfer model=" + model());
  EXPECT_NEAR(uad_result_meta_get_score(uad_buffer_get_result_meta(h.through(51, 0).get())), 0.2,
              1e-5);
  model({.offset = 0.5});  // the same file, another content
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  double score = 0;
  int pushed = 1;
  for (const auto end = Clock::now() + 5s; score < 0.5 && Clock::now() < end; ++pushed) {
    const BufferPtr out = h.through(51, pushed);
    ASSERT_TRUE(out);
    score = uad_result_meta_get_score(uad_buffer_get_result_meta(out.get()));
    EXPECT_TRUE(std::abs(score - 0.2) < 1e-5 || std::abs(score - 0.7) < 1e-5) << score;
  }
  EXPECT_NEAR(score, 0.7, 1e-5);
  EXPECT_EQ(h.messages("uad-result").size(), static_cast<std::size_t>(pushed));
}

TEST_F(UadinferLoading, FailedReloadKeepsTheOldModelWithOneWarning) {
  const std::string good = model();
  const std::string bad = model({.load_error = "Torn file."}, "bad.uad");
  Harness h("uadinfer model=" + good);
  ASSERT_TRUE(h.through(51, 0));
  g_object_set(h.element("uadinfer").get(), "model", bad.c_str(), nullptr);
  const MessagePtr warning = h.message(GST_MESSAGE_WARNING);
  EXPECT_EQ(text_of(warning), "The model in service stays: Torn file.");
  const BufferPtr out = h.through(51, 1);
  ASSERT_TRUE(out);
  EXPECT_STREQ(uad_result_meta_get_model_name(uad_buffer_get_result_meta(out.get())), "line3");
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", 50ms));
}

TEST_F(UadinferLoading, WatchedFileIsLoadedWhenItIsReplaced) {
  Harness h("uadinfer watch=true model=" + model());
  ASSERT_TRUE(h.through(51, 0));
  model({.offset = 0.5});
  double score = 0;
  for (int i = 1; i < 400 && score < 0.5; ++i) {
    score = uad_result_meta_get_score(uad_buffer_get_result_meta(h.through(51, i).get()));
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_NEAR(score, 0.7, 1e-5);
}

TEST_F(UadinferLoading, TwoElementsWithTheSameFileShareOneModel) {
  const std::string file = model();
  Harness a("uadinfer model=" + file);
  ASSERT_TRUE(a.through(1, 0));
  const int before = stub_counter("uad_stub_loads");
  Harness b("uadinfer model=" + file);
  ASSERT_TRUE(b.through(1, 0));
  EXPECT_EQ(stub_counter("uad_stub_loads"), before);
}

TEST_F(UadinferLoading, RestartedElementIsAsNew) {
  Harness h("uadinfer interval=100 model=" + model());
  ASSERT_TRUE(h.through(200, 0));
  gst_element_set_state(h.get()->element, GST_STATE_NULL);
  EXPECT_EQ(stub_counter("uad_stub_live_models"), 0) << "the model is let go";
  gst_element_set_state(h.get()->element, GST_STATE_PLAYING);
  h.set_caps(Harness::kGrey);
  const BufferPtr out = h.through(10, 0);
  ASSERT_TRUE(out);
  EXPECT_EQ(uad_result_meta_get_verdict(uad_buffer_get_result_meta(out.get())), UAD_VERDICT_PASS);
}

/// What the operator reads when uadinfer cannot start with this model.
std::string first_error(const std::string& properties) {
  Harness h("uadinfer " + properties);
  EXPECT_NE(h.push(0, 0), GST_FLOW_OK);
  const std::string text = text_of(h.message(GST_MESSAGE_ERROR));
  EXPECT_FALSE(h.message(GST_MESSAGE_ERROR, "", 0ms)) << "one error is enough";
  return text;
}

TEST_F(UadinferLoading, NoModelIsAnErrorThatNamesTheProperty) {
  GstElement* element = gst_element_factory_make("uadinfer", nullptr);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto error = MessagePtr::adopt(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  EXPECT_NE(text_of(error).find("set model="), std::string::npos);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_bus_set_flushing(bus, TRUE);  // messages hold the element, which holds the bus
  gst_object_unref(element);
  gst_object_unref(bus);
}

TEST_F(UadinferLoading, MissingFileIsAnErrorThatNamesIt) {
  EXPECT_NE(first_error("model=/nowhere/line3.uad").find("/nowhere/line3.uad"), std::string::npos);
}

TEST_F(UadinferLoading, TruncatedFileIsAnErrorThatNamesIt) {
  const std::string file = model();
  std::filesystem::resize_file(file, 100);
  EXPECT_NE(first_error("model=" + file).find("line3.uad"), std::string::npos);
}

TEST_F(UadinferLoading, FailingLoadIsToldOnceEvenIfFramesFollow) {
  EXPECT_EQ(first_error("model=" + model({.load_error = "Self-test failed."})),
            "Self-test failed.");
}

TEST_F(UadinferLoading, ExceptionAtFrameThreeBecomesAnElementError) {
  Harness h("uadinfer model=" + model({.throw_at = 3}));
  EXPECT_EQ(h.push(1, 0), GST_FLOW_OK);
  EXPECT_EQ(h.push(1, 1), GST_FLOW_OK);
  EXPECT_EQ(h.push(1, 2), GST_FLOW_ERROR);
  EXPECT_EQ(text_of(h.message(GST_MESSAGE_ERROR)), "The stub gave up.");
}

TEST_F(UadinferLoading, BuffersAndResultsOutliveTheElement) {
  BufferPtr out;
  {
    Harness h("uadinfer model=" + model());
    out = h.through(200, 5);
  }
  const UadResultMeta* meta = uad_buffer_get_result_meta(out.get());
  ASSERT_NE(meta, nullptr);
  gint width = 0;
  gint height = 0;
  const gfloat* map = uad_result_meta_get_map(meta, &width, &height);
  EXPECT_NEAR(map[width * height - 1], 200 / 255.0, 1e-5);
  EXPECT_STREQ(uad_result_meta_get_model_name(meta), "line3");
}

}  // namespace
}  // namespace uad::testing

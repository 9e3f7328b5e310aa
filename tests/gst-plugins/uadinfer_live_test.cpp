// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer on live sources and with unusual streams: ageing, health, latency, caps.
#include <cmath>
#include <thread>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class UadinferLive : public ElementTest {};

const UadResultMeta* meta_of(const BufferPtr& buffer) {
  return buffer ? uad_buffer_get_result_meta(buffer.get()) : nullptr;
}

GstClockTime latency_of(Harness& h) { return gst_harness_query_latency(h.get()); }

TEST_F(UadinferLive, VideoNeverWaitsForASlowModel) {
  Harness h("uadinfer model=" + model({.delay_ms = 300}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(h.through(10, i));
  EXPECT_LT(Clock::now() - start, 250ms) << "50 frames, before the first analysis is over";
}

TEST_F(UadinferLive, EndOfStreamWaitsForTheAnalysisInProgress) {
  Harness h("uadinfer model=" + model({.delay_ms = 300}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  h.through(200, 7);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  const MessagePtr result = h.message(GST_MESSAGE_ELEMENT, "uad-result", 0ms);
  EXPECT_EQ(field(result, "verdict"), "REJECT");
}

TEST_F(UadinferLive, EndOfStreamWaitsTwoSecondsAtMost) {
  Harness h("uadinfer model=" + model({.delay_ms = 2600}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  h.through(200, 0);
  const auto start = Clock::now();
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_LT(Clock::now() - start, 2400ms);
  EXPECT_TRUE(h.messages("uad-result").empty());
}

TEST_F(UadinferLive, FlushWakesTheEndOfStream) {
  Harness h("uadinfer model=" + model({.delay_ms = 1500}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  h.through(200, 0);
  const auto start = Clock::now();
  std::jthread flush([&] {
    std::this_thread::sleep_for(50ms);
    gst_harness_push_event(h.get(), gst_event_new_flush_start());
  });
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_LT(Clock::now() - start, 1s);
}

TEST_F(UadinferLive, FramesCarryTheLatestResultWithItsAge) {
  Harness h("uadinfer max-age=60000 model=" + model(), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  h.through(200, 0);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-result"));
  const BufferPtr out = h.through(200, 4);
  EXPECT_EQ(uad_result_meta_get_verdict(meta_of(out)), UAD_VERDICT_REJECT);
  EXPECT_EQ(uad_result_meta_get_age(meta_of(out)) % (40 * GST_MSECOND), 0U);
  EXPECT_EQ(uad_result_meta_get_pts(meta_of(out)) + uad_result_meta_get_age(meta_of(out)),
            GST_BUFFER_PTS(out.get()));
}

TEST_F(UadinferLive, ResultOlderThanMaxAgeReadsUnscoredNotPass) {
  Harness h("uadinfer interval=1000 max-age=100 model=" + model());
  EXPECT_EQ(uad_result_meta_get_verdict(meta_of(h.through(0, 0))), UAD_VERDICT_PASS);
  EXPECT_EQ(uad_result_meta_get_verdict(meta_of(h.through(0, 2))), UAD_VERDICT_PASS);
  const BufferPtr stale = h.through(0, 3);
  EXPECT_EQ(uad_result_meta_get_verdict(meta_of(stale)), UAD_VERDICT_UNSCORED);
  EXPECT_STREQ(uad_result_meta_get_note(meta_of(stale)), "result too old");
  EXPECT_EQ(uad_result_meta_get_age(meta_of(stale)), 120 * GST_MSECOND);
}

TEST_F(UadinferLive, FramesBeforeTheModelIsThereAreUnscored) {
  Harness h("uadinfer model=" + model({.load_delay_ms = 60'000}), Harness::kGrey, true);
  const BufferPtr out = h.through(0, 0);
  EXPECT_EQ(uad_result_meta_get_verdict(meta_of(out)), UAD_VERDICT_UNSCORED);
  EXPECT_STREQ(uad_result_meta_get_note(meta_of(out)), "loading model");
}

TEST_F(UadinferLive, MissingVerdictsAreReportedOncePerSecond) {
  Harness h("uadinfer model=" + model({.load_delay_ms = 60'000}), Harness::kGrey, true);
  const auto start = Clock::now();
  for (int i = 0; Clock::now() - start < 2500ms; ++i) {
    h.through(0, i);
    std::this_thread::sleep_for(20ms);
  }
  const auto reports = h.messages("uad-health");
  ASSERT_GE(reports.size(), 1U);
  EXPECT_LE(reports.size(), 2U);
  const GstStructure* s = gst_message_get_structure(reports[0].get());
  gboolean healthy = TRUE;
  guint64 frames = 0;
  guint64 unscored = 0;
  gdouble skipped = 0;
  ASSERT_TRUE(gst_structure_get(s, "healthy", G_TYPE_BOOLEAN, &healthy, "frames", G_TYPE_UINT64,
                                &frames, "unscored", G_TYPE_UINT64, &unscored, "skipped-share",
                                G_TYPE_DOUBLE, &skipped, nullptr));
  EXPECT_FALSE(healthy);
  EXPECT_GT(frames, 0U);
  EXPECT_EQ(unscored, frames);
  EXPECT_EQ(skipped, 1);
}

TEST_F(UadinferLive, SilentCameraIsReported) {
  Harness h("uadinfer max-age=300 model=" + model(), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  h.through(0, 0);
  EXPECT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-health", 4s));
}

TEST_F(UadinferLive, LatestAddsNoLatencyAndEveryAddsWhatWasMeasured) {
  Harness latest("uadinfer model=" + model({.delay_ms = 70}), Harness::kGrey, true);
  ASSERT_TRUE(latest.wait_for_model());
  EXPECT_EQ(latency_of(latest), 0U);
  Harness every("uadinfer live-policy=every model=" + model({.delay_ms = 70}), Harness::kGrey,
                true);
  ASSERT_TRUE(every.wait_for_model());
  EXPECT_GE(latency_of(every), 70 * GST_MSECOND);
}

TEST_F(UadinferLive, AnotherModelIsTimedAnew) {
  Harness h("uadinfer live-policy=every model=" + model({.delay_ms = 200}), Harness::kGrey, true);
  ASSERT_TRUE(h.through(10, 0));
  EXPECT_GE(latency_of(h), 200 * GST_MSECOND);
  const std::string quick = model({}, "quick.uad");
  g_object_set(h.element("uadinfer").get(), "model", quick.c_str(), nullptr);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  ASSERT_TRUE(h.through(10, 1));
  EXPECT_LT(latency_of(h), 150 * GST_MSECOND) << "not the mean of both";
}

TEST_F(UadinferLive, EveryOnALiveSourceAnalysesEachFrameInOrder) {
  Harness h("uadinfer live-policy=every model=" + model({.delay_ms = 5}), Harness::kGrey, true);
  for (int i = 0; i < 20; ++i) {
    const BufferPtr out = h.through(10 * i, i);
    ASSERT_TRUE(out);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), static_cast<GstClockTime>(i) * 40 * GST_MSECOND);
    EXPECT_NEAR(uad_result_meta_get_score(meta_of(out)), 10 * i / 255.0, 1e-5);
  }
}

TEST_F(UadinferLive, CapsMayChangeInMidStream) {
  Harness h("uadinfer model=" + model());
  ASSERT_TRUE(h.through(200, 0));
  h.set_caps("video/x-raw,format=RGB,width=33,height=17,framerate=25/1");
  const BufferPtr out = h.through(51, 1);
  EXPECT_NEAR(uad_result_meta_get_score(meta_of(out)), 0.2, 1e-5);
  UadPlacement at{};
  ASSERT_TRUE(uad_result_meta_get_map_placement(meta_of(out), &at));
  EXPECT_EQ(at.width, 33);
  EXPECT_EQ(at.height, 17);
}

TEST_F(UadinferLive, OddSizesOfEveryFormatAreAnalysed) {
  const std::string file = model();
  for (const char* format : {"GRAY8", "I420", "NV12", "RGB", "BGR", "RGBx", "BGRx", "xRGB", "xBGR",
                             "RGBA", "BGRA", "ARGB", "ABGR"}) {
    Harness h("uadinfer model=" + file,
              "video/x-raw,width=31,height=1,framerate=25/1,format=" + std::string(format));
    EXPECT_TRUE(std::isfinite(uad_result_meta_get_score(meta_of(h.through(128, 0))))) << format;
  }
}

TEST_F(UadinferLive, UnsupportedCapsAreRefused) {
  Harness h("uadinfer model=" + model(), "");
  gst_harness_set_src_caps_str(h.get(), "video/x-raw,format=P010_10LE,width=64,height=48");
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 48 * 3, nullptr);
  EXPECT_EQ(gst_harness_push(h.get(), buffer), GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(UadinferLive, BufferShorterThanItsCapsIsAClearError) {
  Harness h("uadinfer model=" + model());
  EXPECT_EQ(gst_harness_push(h.get(), gst_buffer_new_allocate(nullptr, 100, nullptr)),
            GST_FLOW_ERROR);
  EXPECT_NE(text_of(h.message(GST_MESSAGE_ERROR)).find("64x48"), std::string::npos);
}

TEST_F(UadinferLive, CameraTimestampIsTheCaptureTime) {
  Harness h("uadinfer model=" + model());
  const BufferPtr in = h.frame(0, 0);
  const auto caps = gst::CapsPtr::adopt(gst_caps_new_empty_simple("timestamp/x-unix"));
  gst_buffer_add_reference_timestamp_meta(in.get(), caps.get(), 1'600'000'000 * GST_SECOND,
                                          GST_CLOCK_TIME_NONE);
  gst_harness_push(h.get(), BufferPtr(in).release());
  const auto out = BufferPtr::adopt(gst_harness_pull(h.get()));
  EXPECT_EQ(uad_result_meta_get_utc(meta_of(out)), 1'600'000'000'000'000);
  EXPECT_EQ(field(h.message(GST_MESSAGE_ELEMENT, "uad-result"), "utc"),
            "2020-09-13T12:26:40.000000Z");
}

TEST_F(UadinferLive, StatsCountWhatHappened) {
  Harness h("uadinfer interval=2 model=" + model());
  for (int i = 0; i < 5; ++i) h.through(0, i);
  GstStructure* found = nullptr;
  g_object_get(h.element("uadinfer").get(), "stats", &found, nullptr);
  const gst::StructurePtr stats(found);
  guint64 frames = 0;
  guint64 analysed = 0;
  guint64 skipped = 0;
  ASSERT_TRUE(gst_structure_get(stats.get(), "frames", G_TYPE_UINT64, &frames, "analysed",
                                G_TYPE_UINT64, &analysed, "skipped", G_TYPE_UINT64, &skipped,
                                nullptr));
  EXPECT_EQ(frames, 5U);
  EXPECT_EQ(analysed, 3U);
  EXPECT_EQ(skipped, 2U);
}

}  // namespace
}  // namespace uad::testing

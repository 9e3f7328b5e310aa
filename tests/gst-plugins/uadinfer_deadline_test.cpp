// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer with a deadline: which windows are looked at, what is kept, what is said of it.
#include "tests/gst-plugins/fixture.h"
#include "tests/support/process.h"

namespace uad::testing {
namespace {

constexpr int kWindows = 8;
constexpr int kWindow = 16;  // pixels
constexpr char kCaps[] = "video/x-raw,format=GRAY8,width=128,height=16,framerate=25/1";
constexpr char kHalf[] = "video/x-raw,format=GRAY8,width=64,height=16,framerate=25/1";

struct Answer {
  UadVerdict verdict = UAD_VERDICT_UNSCORED;
  std::string note;
  UadCoverage coverage{};
  std::vector<float> map;
};

Answer answer_of(const BufferPtr& buffer) {
  const UadResultMeta* meta = buffer ? uad_buffer_get_result_meta(buffer.get()) : nullptr;
  if (meta == nullptr) return {};
  Answer answer{uad_result_meta_get_verdict(meta), uad_result_meta_get_note(meta), {}, {}};
  EXPECT_TRUE(uad_result_meta_get_coverage(meta, &answer.coverage));
  int width = 0;
  int height = 0;
  const float* map = uad_result_meta_get_map(meta, &width, &height);
  answer.map.assign(map, map + static_cast<std::ptrdiff_t>(width) * height);
  return answer;
}

class UadinferDeadline : public ElementTest {
 protected:
  static InputSpec divided() {
    InputSpec spec;
    spec.resize = {};
    spec.window = spec.stride = {kWindow, kWindow};
    return spec;
  }
  /// 50 ms a window, of which 120 ms leave room for two.
  std::string line(const std::string& more = "deadline=120") {
    return "uadinfer model=" + model({.delay_ms = 50 * kWindows}, "windows.uad", divided()) +
           " reject-threshold=0.1 warn-threshold=0.05 " + more;
  }
  Answer next(Harness& h, int grey = 0) { return answer_of(h.through(grey, number_++)); }
  /// The last window is white.
  Answer next_with_defect(Harness& h) {
    BufferPtr buffer = h.frame(0, number_++);
    for (int y = 0; y < kWindow; ++y) {
      gst_buffer_memset(buffer.get(), static_cast<gsize>(y * 128 + 7 * kWindow), 255, kWindow);
    }
    if (gst_harness_push(h.get(), buffer.release()) != GST_FLOW_OK) return {};
    return answer_of(BufferPtr::adopt(gst_harness_pull(h.get())));
  }
  /// Whether the next frame is analysed whole, and the one after that is not.
  bool begins_anew(Harness& h) {
    const bool whole = next(h).coverage.analysed == next_windows_;
    return whole && next(h).coverage.analysed < next_windows_;
  }

  guint next_windows_ = kWindows;
  int number_ = 0;
};

guint count(const MessagePtr& message, const char* name) {
  guint value = G_MAXUINT;
  gst_structure_get_uint(gst_message_get_structure(message.get()), name, &value);
  return value;
}

guint64 frames(const MessagePtr& message, const char* name) {
  guint64 value = G_MAXUINT64;
  gst_structure_get_uint64(gst_message_get_structure(message.get()), name, &value);
  return value;
}

TEST_F(UadinferDeadline, FramesAfterTheFirstLookAtAsMuchAsFitsAndSayHowMuch) {
  Harness h(line(), kCaps);
  const Answer first = next(h);
  EXPECT_EQ(first.coverage.windows, 8U);
  EXPECT_EQ(first.coverage.analysed, 8U);
  EXPECT_EQ(first.coverage.oldest, 0U);
  for (int i = 0; i < 9; ++i) {
    const Answer answer = next(h);
    EXPECT_GE(answer.coverage.analysed, 1U);
    EXPECT_LE(answer.coverage.analysed, 4U) << "room for two";
    EXPECT_LT(answer.coverage.oldest, answer.coverage.within);
    EXPECT_EQ(answer.coverage.within, 8U);
    EXPECT_EQ(answer.verdict, UAD_VERDICT_PASS);
    EXPECT_EQ(answer.map.size(), 128U * 16) << "of the whole frame";
  }
  const auto messages = h.messages("uad-result");
  ASSERT_EQ(messages.size(), 10U);
  EXPECT_EQ(count(messages[0], "windows"), 8U);
  EXPECT_EQ(count(messages[0], "windows-analysed"), 8U);
  EXPECT_LE(count(messages[1], "windows-analysed"), 4U);
  EXPECT_EQ(frames(messages[0], "oldest-window"), 0U);
  EXPECT_EQ(frames(messages[1], "oldest-window"), 1U);
  EXPECT_EQ(frames(messages[1], "covered-within"), 8U);
}

TEST_F(UadinferDeadline, WithoutOneEveryFrameIsWhole) {
  Harness h(line(""), kCaps);
  for (int i = 0; i < 2; ++i) {
    const UadCoverage coverage = next(h).coverage;
    EXPECT_EQ(coverage.windows, 8U);
    EXPECT_EQ(coverage.analysed, 8U);
    EXPECT_EQ(coverage.oldest, 0U);
    EXPECT_EQ(coverage.within, 1U);
  }
}

TEST_F(UadinferDeadline, ADefectIsFoundWithinTheStatedFramesAndFollowedUntilItIsGone) {
  Harness h(line(), kCaps);
  ASSERT_EQ(next(h).verdict, UAD_VERDICT_PASS);
  int frames = 1;
  Answer found = next_with_defect(h);
  for (; found.verdict != UAD_VERDICT_REJECT && frames <= 2 * kWindows; ++frames) {
    found = next_with_defect(h);
  }
  EXPECT_LE(frames, kWindows);
  EXPECT_EQ(found.map.back(), 1.0F);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next_with_defect(h).verdict, UAD_VERDICT_REJECT);
  EXPECT_EQ(next(h).verdict, UAD_VERDICT_PASS) << "it was looked at again at once";
}

TEST_F(UadinferDeadline, FullCoverageInFewerFramesIsKeptEvenWithoutTheTime) {
  Harness h(line("deadline=1 full-coverage=2"), kCaps);
  next(h);
  const UadCoverage coverage = next(h).coverage;
  EXPECT_EQ(coverage.analysed, 4U);
  EXPECT_EQ(coverage.within, 2U);
}

TEST_F(UadinferDeadline, WhatWasKeptIsForgottenWithWhatItWasOf) {
  Harness h(line("deadline=120 part-boundary=event"), kCaps);
  EXPECT_TRUE(begins_anew(h));
  gst_harness_push_event(h.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                                       gst_structure_new_empty("uad-part")));
  EXPECT_TRUE(begins_anew(h)) << "another part";
  const auto infer = h.element("uadinfer");
  g_object_set(infer.get(), "product", "bolt", nullptr);
  EXPECT_TRUE(begins_anew(h)) << "another product";
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  EXPECT_TRUE(begins_anew(h)) << "a flush";
  const std::string other = model({.delay_ms = 400, .offset = 0.01}, "other.uad", divided());
  g_object_set(infer.get(), "model", other.c_str(), nullptr);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  EXPECT_TRUE(begins_anew(h)) << "another model";
  g_object_set(infer.get(), "deadline", 0, nullptr);
  next(h);
  g_object_set(infer.get(), "deadline", 120, nullptr);
  EXPECT_TRUE(begins_anew(h)) << "switched off in between";
  h.set_caps(kHalf);
  next_windows_ = 4;
  EXPECT_TRUE(begins_anew(h)) << "another size";
}

TEST_F(UadinferDeadline, AWindowOlderThanAResultMayBeNeverPasses) {
  Harness h(line("deadline=1 max-age=100"), kCaps);
  ASSERT_EQ(next(h).verdict, UAD_VERDICT_PASS);
  ASSERT_EQ(next(h).verdict, UAD_VERDICT_PASS);
  ASSERT_EQ(next(h).verdict, UAD_VERDICT_PASS) << "80 ms";
  const Answer late = next(h);
  EXPECT_EQ(late.verdict, UAD_VERDICT_UNSCORED) << "120 ms";
  EXPECT_EQ(late.note, "a window too old");
  EXPECT_EQ(field(h.messages("uad-result").back(), "verdict"), "UNSCORED");
  for (int i = 0; i < kWindows; ++i) next_with_defect(h);
  EXPECT_EQ(next_with_defect(h).verdict, UAD_VERDICT_REJECT) << "what is bad stays bad";
}

TEST_F(UadinferDeadline, SeveralFramesInFlightAreLookedAtInTheirOrder) {
  Harness h(line("deadline=120 frames-in-flight=4"), kCaps);
  for (int i = 0; i < 12; ++i) ASSERT_EQ(h.push(0, i), GST_FLOW_OK);
  for (int i = 0; i < 12; ++i) {
    const Answer answer = answer_of(BufferPtr::adopt(gst_harness_pull(h.get())));
    EXPECT_EQ(answer.coverage.analysed == 8, i == 0) << i;
    EXPECT_LT(answer.coverage.oldest, 8U) << i;
  }
}

TEST_F(UadinferDeadline, ALiveStreamThatTakesTheLatestHasIt) {
  Harness h(line(), kCaps, true);
  ASSERT_TRUE(h.wait_for_model());
  const auto analysed = [&] {
    h.push(0, number_++);
    const auto messages = h.messages("uad-result");
    return !messages.empty() && count(messages.back(), "windows-analysed") < 8;
  };
  EXPECT_TRUE(eventually(analysed));
}

TEST_F(UadinferDeadline, TheLatencyOfALiveStreamIsNotThatOfAWholeFrame) {
  Harness h(line("deadline=120 live-policy=every"), kCaps, true);
  ASSERT_TRUE(h.wait_for_model());
  for (int i = 0; i < 4; ++i) next(h);
  gst_pad_set_query_function(h.get()->srcpad, [](GstPad*, GstObject*, GstQuery* query) -> gboolean {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return FALSE;
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  });
  const auto query = gst::QueryPtr::adopt(gst_query_new_latency());
  ASSERT_TRUE(gst_pad_peer_query(h.get()->sinkpad, query.get()));
  GstClockTime least = 0;
  gst_query_parse_latency(query.get(), nullptr, &least, nullptr);
  EXPECT_LT(least, 350 * GST_MSECOND) << "400 ms are eight windows";
}

TEST_F(UadinferDeadline, AModelOfOneWindowIsToldOfOnceWithWhatToChange) {
  Harness h("uadinfer deadline=20 model=" + model());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(h.through(0, i));
  const std::string text = text_of(h.message(GST_MESSAGE_WARNING));
  EXPECT_NE(text.find("deadline has no effect"), std::string::npos) << text;
  EXPECT_NE(text.find("one window of 32x32"), std::string::npos) << text;
  EXPECT_NE(text.find("--window"), std::string::npos) << text;
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", std::chrono::milliseconds(1)));
}

TEST_F(UadinferDeadline, AnAnalysisThatFailsEndsTheStream) {
  Harness h("uadinfer deadline=120 model=" + model({.throw_at = 2}, "windows.uad", divided()),
            kCaps);
  EXPECT_EQ(next(h).coverage.analysed, 8U);
  EXPECT_EQ(h.push(0, number_), GST_FLOW_ERROR);
  EXPECT_EQ(text_of(h.message(GST_MESSAGE_ERROR)), "The stub gave up.");
}

TEST_F(UadinferDeadline, AShadowIsComparedWhereTheFrameWasLookedAtWhole) {
  Harness h(line("deadline=120 shadow=" + model({.offset = 0.5}, "shadow.uad", divided())), kCaps);
  const auto infer = h.element("uadinfer");
  const auto stat = [&](const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(infer.get(), "stats", &stats, nullptr);
    guint64 value = 0;
    const bool loaded = std::string(gst_structure_get_string(stats, "shadow")) == "shadow";
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return loaded ? value : G_MAXUINT64;
  };
  ASSERT_TRUE(eventually([&] { return stat("shadow-compared") == 0; }));
  for (int i = 0; i < 4; ++i) next(h);
  gst_harness_push_event(h.get(), gst_event_new_eos());  // waits for what is compared
  EXPECT_EQ(stat("shadow-compared"), 1U);
}

TEST_F(UadinferDeadline, TheRangesAreThoseOfTheReference) {
  Harness h(line(""), kCaps);
  auto* klass = G_OBJECT_GET_CLASS(h.element("uadinfer").get());
  const auto* deadline = G_PARAM_SPEC_INT(g_object_class_find_property(klass, "deadline"));
  const auto* coverage = G_PARAM_SPEC_INT(g_object_class_find_property(klass, "full-coverage"));
  EXPECT_EQ(deadline->minimum, 0);
  EXPECT_EQ(deadline->maximum, 60'000);
  EXPECT_EQ(deadline->default_value, 0);
  EXPECT_EQ(coverage->minimum, 0);
  EXPECT_EQ(coverage->maximum, 10'000);
}

}  // namespace
}  // namespace uad::testing

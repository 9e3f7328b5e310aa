// SPDX-License-Identifier: LGPL-2.1-or-later
// Verdicts per part of uadinfer: boundaries, both live policies, properties.
#include <thread>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kGood = 20;
constexpr int kBad = 200;  // the stub rejects from 127.5

class Parts : public ElementTest {
 protected:
  std::string line(const std::string& more, const StubOptions& options = {}) {
    return "uadinfer model=" + model(options) + " " + more;
  }
  static void push_part(Harness& h, const char* id) {
    gst_harness_push_event(
        h.get(),
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                             gst_structure_new("uad-part", "id", G_TYPE_STRING, id, nullptr)));
  }
  /// Frames of one grey value.
  void frames(Harness& h, int count, int grey) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(h.through(grey, number_++));
  }
  static void end_stream(Harness& h) { gst_harness_push_event(h.get(), gst_event_new_eos()); }
  static guint64 number(const MessagePtr& message, const char* name) {
    guint64 value = G_MAXUINT64;
    if (message) gst_structure_get_uint64(gst_message_get_structure(message.get()), name, &value);
    return value;
  }
  static double real(const MessagePtr& message, const char* name) {
    double value = -1;
    if (message) gst_structure_get_double(gst_message_get_structure(message.get()), name, &value);
    return value;
  }
  static int integer(const MessagePtr& message, const char* name) {
    int value = -1;
    if (message) gst_structure_get_int(gst_message_get_structure(message.get()), name, &value);
    return value;
  }
  /// One letter a part.
  static std::string verdicts(Harness& h) {
    std::string all;
    for (const auto& part : h.messages("uad-verdict")) all += field(part, "verdict").at(0);
    return all;
  }
  /// The error at READY; "" if there is none.
  std::string refused(const std::string& properties) {
    return run_pipeline("videotestsrc num-buffers=1 ! " + line(properties) + " ! fakesink");
  }

 private:
  int number_ = 0;
};

TEST_F(Parts, EventsSeparateAndNameParts) {
  Harness h(line("part-boundary=event part-rule=2/3 tags=line3"));
  push_part(h, "A17");
  frames(h, 3, kGood);
  push_part(h, "A18");
  frames(h, 1, kGood);
  frames(h, 2, kBad);
  end_stream(h);
  const auto parts = h.messages("uad-verdict");
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(field(parts[0], "id"), "A17");
  EXPECT_EQ(field(parts[0], "verdict"), "PASS");
  const MessagePtr& bad = parts[1];
  EXPECT_EQ(field(bad, "id"), "A18");
  EXPECT_EQ(field(bad, "verdict"), "REJECT");
  EXPECT_EQ(field(bad, "why"), "2 of 3 frames were bad");
  EXPECT_EQ(field(bad, "model"), "line3");
  EXPECT_EQ(field(bad, "tags"), "line3");
  EXPECT_EQ(number(bad, "part"), 1U);
  EXPECT_EQ(number(bad, "frames"), 3U);
  EXPECT_EQ(number(bad, "analysed"), 3U);
  EXPECT_EQ(number(bad, "bad"), 2U);
  EXPECT_EQ(number(bad, "first-pts"), 120 * GST_MSECOND);
  EXPECT_EQ(number(bad, "last-pts"), 200 * GST_MSECOND);
}

TEST_F(Parts, WorstFrameIsNamedWithItsPlace) {
  Harness h(line("part-boundary=event"));
  push_part(h, "");
  frames(h, 2, kGood);
  const BufferPtr spot = h.frame(kBad, 2);
  GstMapInfo map;
  ASSERT_TRUE(gst_buffer_map(spot.get(), &map, GST_MAP_WRITE));
  for (int y = 12; y < 24; ++y) std::fill_n(map.data + y * 64 + 32, 16, 255);
  gst_buffer_unmap(spot.get(), &map);
  gst_harness_push(h.get(), gst_buffer_ref(spot.get()));
  frames(h, 1, kGood);
  end_stream(h);
  const MessagePtr part = h.message(GST_MESSAGE_ELEMENT, "uad-verdict", 0ms);
  ASSERT_TRUE(part);
  EXPECT_EQ(number(part, "worst-frame"), 2U);
  EXPECT_EQ(number(part, "worst-pts"), 80 * GST_MSECOND);
  EXPECT_EQ(field(part, "worst-utc").size(), 27U);
  EXPECT_GT(real(part, "worst-score"), kBad / 255.0);
  EXPECT_GT(real(part, "worst-normalised-score"), 0.5);
  EXPECT_EQ(integer(part, "worst-width"), 64) << "all of it is bad";
  EXPECT_EQ(integer(part, "worst-height"), 48);
  EXPECT_NEAR(real(part, "worst-peak-x"), 40, 8) << "but this the worst";
  EXPECT_NEAR(real(part, "worst-peak-y"), 18, 6);
}

TEST_F(Parts, EventsSentUpstreamAndActionsDoTheSame) {
  Harness h(line("part-boundary=event"));
  const auto infer = h.element("uadinfer");
  gst_harness_push_upstream_event(
      h.get(),
      gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                           gst_structure_new("uad-part", "id", G_TYPE_STRING, "1", nullptr)));
  frames(h, 1, kGood);
  gst_element_send_event(
      infer.get(),
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                           gst_structure_new("uad-part", "end", G_TYPE_BOOLEAN, TRUE, nullptr)));
  frames(h, 1, kBad);
  g_signal_emit_by_name(infer.get(), "begin-part", "2");
  frames(h, 1, kBad);
  g_signal_emit_by_name(infer.get(), "end-part");
  frames(h, 1, kGood);
  const auto parts = h.messages("uad-verdict");
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(field(parts[0], "id") + field(parts[0], "verdict"), "1PASS");
  EXPECT_EQ(field(parts[1], "id") + field(parts[1], "verdict"), "2REJECT");
}

TEST_F(Parts, PeriodAndHold) {
  Harness h(line("part-boundary=period part-period=120 part-hold=60"));
  frames(h, 3, kGood);
  frames(h, 2, kGood);
  frames(h, 1, kBad);
  frames(h, 3, kGood);
  frames(h, 3, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "PRRP");
}

TEST_F(Parts, MotionSeparatesWhatStandsStill) {
  Harness h(line("part-boundary=motion part-motion=3"),
            "video/x-raw,format=I420,width=64,height=48,framerate=25/1");
  int number = 0;
  const auto show = [&](int frames, int grey, int left) {  // a dark frame with a lit stripe
    for (int i = 0; i < frames; ++i, ++number) {
      const BufferPtr frame = h.frame(grey, number);
      GstMapInfo map;
      gst_buffer_map(frame.get(), &map, GST_MAP_WRITE);
      for (int y = 0; y < 48; ++y) std::fill_n(map.data + y * 64 + left, 16, 255 - grey);
      gst_buffer_unmap(frame.get(), &map);
      gst_harness_push(h.get(), gst_buffer_ref(frame.get()));
    }
  };
  show(5, 20, 0);
  for (const int left : {12, 24, 36, 48}) show(1, 230, left);  // bad while it moves
  show(5, 20, 48);
  end_stream(h);
  const auto parts = h.messages("uad-verdict");
  ASSERT_EQ(parts.size(), 2U);
  for (const auto& part : parts) {
    EXPECT_EQ(field(part, "verdict"), "PASS");
    EXPECT_EQ(number, 14);
    EXPECT_EQ(Parts::number(part, "frames"), 3U);
  }
}

TEST_F(Parts, MotionIsSeenWhereUadpreprocCutsTheTiles) {
  const std::string file = model();
  Harness h("uadpreproc model=" + file +
            " ! uadinfer part-boundary=motion part-motion=3 model=" + file);
  frames(h, 6, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "P");
}

TEST_F(Parts, LateResultsCountForTheirOwnPart) {
  Harness h(line("part-boundary=event max-age=60000", {.delay_ms = 500}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  push_part(h, "slow");
  frames(h, 1, kBad);  // being analysed while the next part begins
  push_part(h, "next");
  EXPECT_EQ(verdicts(h), "") << "its frame is still being analysed";
  const MessagePtr slow = h.message(GST_MESSAGE_ELEMENT, "uad-verdict");
  EXPECT_EQ(field(slow, "id") + field(slow, "verdict"), "slowREJECT");
  frames(h, 1, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "P");
}

TEST_F(Parts, AtTheEndWhatIsNotAnalysedInTimeIsUnscored) {
  Harness h(line("part-boundary=event", {.delay_ms = 2600}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  push_part(h, "A");
  frames(h, 1, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "U");
}

TEST_F(Parts, PartsBeforeTheModelIsThereAreUnscoredNeverPass) {
  Harness h(line("part-boundary=period part-period=80", {.load_delay_ms = 60'000}), Harness::kGrey,
            true);
  frames(h, 5, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "UUU");
}

TEST_F(Parts, IntervalLeavesGapsThatMaxAgeBounds) {
  Harness tight(line("part-boundary=event interval=4 max-age=100"));
  push_part(tight, "");
  frames(tight, 8, kGood);
  end_stream(tight);
  EXPECT_EQ(verdicts(tight), "U");
  Harness wide(line("part-boundary=event interval=4 max-age=160"));
  push_part(wide, "");
  frames(wide, 8, kGood);
  end_stream(wide);
  EXPECT_EQ(verdicts(wide), "P");
}

TEST_F(Parts, AnEventThatComesOnSeveralWaysIsHeardOnce) {
  Harness h(line("part-boundary=event"));
  const auto event =
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("uad-part"));
  gst_harness_push_event(h.get(), gst_event_ref(event));
  frames(h, 1, kGood);
  gst_harness_push_event(h.get(), event);  // as from another sink of the bin
  frames(h, 1, kGood);
  push_part(h, "");
  frames(h, 1, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "PP");
}

TEST_F(Parts, TheSameVideoNegotiatedAgainEndsNoPart) {
  Harness h(line("part-boundary=period part-period=1000"));
  frames(h, 1, kBad);
  h.set_caps(std::string(Harness::kGrey) + ",station=(string)left");
  frames(h, 1, kGood);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "R");
}

TEST_F(Parts, FlushAndOtherCapsEndThePart) {
  Harness h(line("part-boundary=period part-period=1000"));
  frames(h, 2, kGood);
  h.set_caps("video/x-raw,format=GRAY8,width=32,height=24,framerate=25/1");
  frames(h, 2, kGood);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  EXPECT_EQ(verdicts(h), "UU") << "what was cut off may not pass";
}

TEST_F(Parts, FramesWithoutTimestampsAndWithJumpsAreJudged) {
  Harness h(line("part-boundary=period part-period=60000"));
  const auto push = [&h](GstClockTime pts) {
    const BufferPtr frame = h.frame(kGood, 0);
    GST_BUFFER_PTS(frame.get()) = pts;
    gst_harness_push(h.get(), gst_buffer_ref(frame.get()));
  };
  push(GST_CLOCK_TIME_NONE);
  push(GST_CLOCK_TIME_NONE);
  push(100 * GST_SECOND);
  push(100 * GST_SECOND + 40 * GST_MSECOND);
  push(10 * GST_SECOND);                      // back: another grid
  push(10 * GST_SECOND + 3600 * GST_SECOND);  // an hour ahead: parts that nobody saw
  end_stream(h);
  const auto parts = h.messages("uad-verdict");
  std::string letters;
  for (const auto& part : parts) letters += field(part, "verdict").at(0);
  ASSERT_EQ(letters, "PUP");
  EXPECT_EQ(number(parts.back(), "part") - number(parts[parts.size() - 2], "part"), 60U);
}

TEST_F(Parts, RestartBeginsAnew) {
  Harness h(line("part-boundary=event"));
  const auto infer = h.element("uadinfer");
  push_part(h, "A");
  frames(h, 1, kBad);
  gst_element_set_state(infer.get(), GST_STATE_READY);
  gst_element_set_state(infer.get(), GST_STATE_PLAYING);
  h.set_caps(Harness::kGrey);
  push_part(h, "B");
  frames(h, 1, kGood);
  end_stream(h);
  const auto parts = h.messages("uad-verdict");
  ASSERT_EQ(parts.size(), 1U) << "the part of the stream before is forgotten";
  EXPECT_EQ(field(parts[0], "id") + field(parts[0], "verdict"), "BPASS");
  EXPECT_EQ(number(parts[0], "part"), 0U);
}

TEST_F(Parts, ContradictionsAreRefusedAtReadyWithTheFix) {
  EXPECT_NE(refused("part-boundary=event part-rule=3/2").find("3/5"), std::string::npos);
  EXPECT_NE(refused("part-rule=2/3").find("set part-boundary="), std::string::npos);
  EXPECT_NE(refused("part-hold=5").find("set part-boundary="), std::string::npos);
  EXPECT_NE(refused("part-hysteresis=true").find("set part-boundary="), std::string::npos);
  EXPECT_NE(refused("part-boundary=period").find("set it to the milliseconds"), std::string::npos);
  EXPECT_NE(refused("part-boundary=motion").find("3 grey levels"), std::string::npos);
  EXPECT_NE(refused("part-boundary=event part-motion=3").find("part-boundary=motion"),
            std::string::npos);
  EXPECT_NE(refused("part-boundary=motion part-motion=3 part-period=9").find("=period"),
            std::string::npos);
  EXPECT_EQ(refused("part-boundary=period part-period=9"), "");
}

TEST_F(Parts, ARuleChangesWhilePlayingAndABadOneLeavesTheOldInForce) {
  Harness h(line("part-boundary=event"));
  const auto infer = h.element("uadinfer");
  g_object_set(infer.get(), "part-rule", "2/2", nullptr);
  push_part(h, "");
  frames(h, 1, kBad);
  frames(h, 1, kGood);
  g_object_set(infer.get(), "part-rule", "2", nullptr);
  EXPECT_EQ(text_of(h.message(GST_MESSAGE_WARNING)).find("Parts are judged as before: "), 0U);
  end_stream(h);
  EXPECT_EQ(verdicts(h), "P");
}

}  // namespace
}  // namespace uad::testing

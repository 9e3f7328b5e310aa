// SPDX-License-Identifier: LGPL-2.1-or-later
// Models of uadinfer that replace each other while it runs: watch, undo, shadow, promote.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/gst-plugins/fixture.h"
#include "tests/support/process.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Frames are of grey 51, which the stub scores 0.2 plus the model's offset.
class LiveModels : public ElementTest {
 protected:
  static const UadResultMeta* meta(const BufferPtr& buffer) {
    return buffer ? uad_buffer_get_result_meta(buffer.get()) : nullptr;
  }
  /// The score of one more frame, which must come out; NaN = UNSCORED.
  double score(Harness& h) {
    const BufferPtr out = h.through(51, number_++);
    EXPECT_TRUE(out) << "frame " << number_ - 1 << " was lost";
    return out ? uad_result_meta_get_score(meta(out)) : -1;
  }
  /// Pushes frames until the bus has a message of this type (and name). Each frame must score one
  /// of `allowed`.
  MessagePtr until(Harness& h, GstMessageType type, const std::string& name,
                   std::initializer_list<double> allowed) {
    for (const auto end = Clock::now() + 6s; Clock::now() < end;) {
      const double found = score(h);
      const bool expected = std::any_of(allowed.begin(), allowed.end(), [found](double one) {
        return std::abs(one - found) < 1e-5 || (std::isnan(one) && std::isnan(found));
      });
      EXPECT_TRUE(expected) << found;
      if (auto message = h.message(type, name, 20ms)) return message;
    }
    return {};
  }
  MessagePtr until_changed(Harness& h, std::initializer_list<double> allowed) {
    return until(h, GST_MESSAGE_ELEMENT, "uad-model-changed", allowed);
  }
  static bool emit(Harness& h, const char* action) {
    gboolean answer = FALSE;
    g_signal_emit_by_name(h.element("uadinfer").get(), action, &answer);
    return answer != FALSE;
  }
  static std::string property(Harness& h, const char* name) {
    gchar* text = nullptr;
    g_object_get(h.element("uadinfer").get(), name, &text, nullptr);
    return gst::take_string(text);
  }
  static guint64 stat(Harness& h, const char* name) {
    GstStructure* found = nullptr;
    g_object_get(h.element("uadinfer").get(), "stats", &found, nullptr);
    const gst::StructurePtr stats(found);
    guint64 value = 0;
    gst_structure_get_uint64(stats.get(), name, &value);
    return value;
  }
  static bool wait_for_shadow(Harness& h) {
    return eventually([&] {
      GstStructure* found = nullptr;
      g_object_get(h.element("uadinfer").get(), "stats", &found, nullptr);
      const gst::StructurePtr stats(found);
      return *gst_structure_get_string(stats.get(), "shadow") != '\0';
    });
  }

 private:
  int number_ = 0;
};

TEST_F(LiveModels, WatchTakesAFileThatAppearsAndFramesPassUnscoredBefore) {
  const std::string file = (folder() / "line3.uad").string();
  Harness h("uadinfer watch=true model=" + file);
  const MessagePtr warning = until(h, GST_MESSAGE_WARNING, "", {NAN});
  EXPECT_EQ(text_of(warning).find("Frames stay UNSCORED until a good model file is there: "), 0U);
  EXPECT_STREQ(uad_result_meta_get_note(meta(h.through(51, 0))), "waiting for model");
  model();
  const MessagePtr change = until_changed(h, {NAN, 0.2});
  EXPECT_EQ(field(change, "why"), "watch");
  EXPECT_EQ(field(change, "path"), file);
  EXPECT_EQ(field(change, "sha256").size(), 64U);
  EXPECT_NEAR(score(h), 0.2, 1e-5);
  EXPECT_FALSE(
      h.message(static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), "", 0ms));
}

TEST_F(LiveModels, WatchDoesNotWaitWhereNoFileCouldHelp) {
  if (std::getenv("UAD_SANITIZED") != nullptr) GTEST_SKIP() << "gst-launch-1.0 has no sanitizers";
  const std::string line =  // gst-launch-1.0 of GStreamer 1.22 now and then outlives an early error
      "UAD_BACKEND=/nowhere/libuad.so timeout 4 gst-launch-1.0 -q videotestsrc num-buffers=3 ! "
      "uadinfer watch=true model=" +
      model() + " ! fakesink 2>" + (folder() / "err").string();
  EXPECT_NE(std::system(line.c_str()), 0);
  const auto lines = lines_of(folder() / "err");
  EXPECT_TRUE(std::ranges::any_of(
      lines, [](const std::string& one) { return one.find("ERROR") != std::string::npos; }));
}

TEST_F(LiveModels, TornAndVanishedFilesAreWarnedOfOnceEachAndTheNextGoodOneIsTaken) {
  const std::string file = model();
  Harness h("uadinfer watch=true model=" + file);
  EXPECT_NEAR(score(h), 0.2, 1e-5);
  std::ofstream(file) << "half a model";
  EXPECT_EQ(text_of(until(h, GST_MESSAGE_WARNING, "", {0.2})).find("The model in service stays: "),
            0U);
  std::filesystem::remove(file);
  EXPECT_NE(text_of(until(h, GST_MESSAGE_WARNING, "", {0.2})).find("is there no more"),
            std::string::npos)
      << "the torn file was told before, and once";
  model({.offset = 0.5});
  EXPECT_TRUE(until_changed(h, {0.2, 0.7}));
  EXPECT_NEAR(score(h), 0.7, 1e-5);
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", 0ms));
}

TEST_F(LiveModels, FileIsNotLookedAtWithoutWatch) {
  Harness h("uadinfer model=" + model());
  EXPECT_NEAR(score(h), 0.2, 1e-5);
  model({.offset = 0.5});
  std::this_thread::sleep_for(2200ms);
  EXPECT_NEAR(score(h), 0.2, 1e-5);
}

TEST_F(LiveModels, SwapWhileAFrameTakesTwoSecondsLosesNoFrameAndKeepsTheOrder) {
  Harness h("uadinfer max-age=60000 model=" + model({.delay_ms = 2000}), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  int pushed = 0;
  GstClockTime last = 0;
  double found = 0;
  for (const auto end = Clock::now() + 6s; !(found > 0.5) && Clock::now() < end; ++pushed) {
    const BufferPtr out = h.through(51, pushed);
    ASSERT_TRUE(out) << pushed;
    ASSERT_TRUE(pushed == 0 || GST_BUFFER_PTS(out.get()) > last);
    last = GST_BUFFER_PTS(out.get());
    found = uad_result_meta_get_score(meta(out));
    if (pushed == 10) {
      model({.offset = 0.5});
      g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
    }
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_NEAR(found, 0.7, 1e-5) << "the new model takes over";
  EXPECT_GT(pushed, 20) << "video went on meanwhile: waiting for the model lets 3 frames pass";
  const MessagePtr first = h.message(GST_MESSAGE_ELEMENT, "uad-result");
  gdouble slow = 0;
  gst_structure_get_double(gst_message_get_structure(first.get()), "score", &slow);
  EXPECT_NEAR(slow, 0.2, 1e-5) << "the frame that took two seconds has its verdict as well";
}

TEST_F(LiveModels, UndoGivesBitEqualScoresAndTheWatchPassesOverTheUndoneFile) {
  Harness h("uadinfer watch=true model=" + model({.offset = 0.1}));
  const double before = score(h);
  EXPECT_FALSE(emit(h, "undo")) << "nothing was replaced yet";
  model({.offset = 0.5});
  ASSERT_TRUE(until_changed(h, {0.3, 0.7}));
  EXPECT_NEAR(score(h), 0.7, 1e-5);
  ASSERT_TRUE(emit(h, "undo"));
  EXPECT_EQ(score(h), before);
  EXPECT_EQ(field(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed", 0ms), "why"), "undo");
  EXPECT_FALSE(emit(h, "undo")) << "it goes back once";
  std::this_thread::sleep_for(2200ms);
  EXPECT_EQ(score(h), before);
  EXPECT_TRUE(h.messages("uad-model-changed").empty());
}

TEST_F(LiveModels, OnePreviousModelIsKeptAndNoneWithoutKeepPrevious) {
  Harness h("uadinfer model=" + model());
  score(h);
  for (const double offset : {0.1, 0.2, 0.3}) {
    model({.offset = offset});
    g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
    ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
    score(h);
  }
  EXPECT_EQ(stub_counter("uad_stub_live_models"), 2);
  g_object_set(h.element("uadinfer").get(), "keep-previous", FALSE, nullptr);
  EXPECT_EQ(stub_counter("uad_stub_live_models"), 1);
  EXPECT_FALSE(emit(h, "undo"));
}

TEST_F(LiveModels, PropertyAndReloadAreNamedAsTheReason) {
  const std::string other = model({.offset = 0.5}, "other.uad");
  Harness h("uadinfer model=" + model());
  score(h);
  g_object_set(h.element("uadinfer").get(), "model", other.c_str(), nullptr);
  const MessagePtr change = h.message(GST_MESSAGE_ELEMENT, "uad-model-changed");
  EXPECT_EQ(field(change, "why"), "property") << "the first model is no change";
  EXPECT_EQ(field(change, "path"), other);
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  EXPECT_EQ(field(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"), "why"), "reload");
}

TEST_F(LiveModels, UndoOfAnotherPathNamesItAgain) {
  const std::string first = model();
  const std::string other = model({.offset = 0.5}, "other.uad");
  Harness h("uadinfer watch=true model=" + first);
  score(h);
  g_object_set(h.element("uadinfer").get(), "model", other.c_str(), nullptr);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  model({.offset = 0.3});  // nobody watches it now
  ASSERT_TRUE(emit(h, "undo"));
  EXPECT_EQ(property(h, "model"), first);
  std::this_thread::sleep_for(2200ms);
  EXPECT_NEAR(score(h), 0.2, 1e-5) << "the model that was undone to, not what its file is by now";
}

TEST_F(LiveModels, ShadowIsPromotedAndPromotionIsUndone) {
  const std::string file = model();
  const std::string better = model({.offset = 0.5}, "better.uad");
  Harness h("uadinfer model=" + file);
  const double before = score(h);
  EXPECT_FALSE(emit(h, "promote")) << "there is no shadow";
  g_object_set(h.element("uadinfer").get(), "shadow", better.c_str(), nullptr);
  ASSERT_TRUE(wait_for_shadow(h));
  EXPECT_EQ(score(h), before) << "a shadow decides nothing";
  ASSERT_TRUE(emit(h, "promote"));
  EXPECT_NEAR(score(h), 0.7, 1e-5) << "with the next frame";
  EXPECT_EQ(property(h, "model"), better);
  EXPECT_EQ(property(h, "shadow"), "");
  const MessagePtr change = h.message(GST_MESSAGE_ELEMENT, "uad-model-changed", 0ms);
  EXPECT_EQ(field(change, "why"), "promote");
  EXPECT_EQ(field(change, "path"), better);
  EXPECT_FALSE(emit(h, "promote"));
  ASSERT_TRUE(emit(h, "undo"));
  EXPECT_EQ(score(h), before);
  EXPECT_EQ(property(h, "model"), file);
}

TEST_F(LiveModels, DisagreementsAreCountedPostedAndLogged) {
  const std::string log = (folder() / "log").string();
  Harness h("uadinfer model=" + model() + " shadow=" + model({.offset = 0.5}, "strict.uad") +
            " shadow-log=" + log);
  ASSERT_TRUE(wait_for_shadow(h));
  for (guint64 i = 1; i <= 3; ++i) {
    score(h);
    ASSERT_TRUE(eventually([&] { return lines_of(log).size() == i; }));
  }
  EXPECT_EQ(stat(h, "shadow-compared"), 3U);
  EXPECT_EQ(stat(h, "shadow-disagreed"), 3U);
  const auto told = h.messages("uad-shadow");
  ASSERT_EQ(told.size(), 1U) << "at most one a second";
  EXPECT_EQ(field(told[0], "verdict"), "PASS");
  EXPECT_EQ(field(told[0], "shadow-verdict"), "REJECT");
  gdouble scores[2] = {};
  ASSERT_TRUE(gst_structure_get(gst_message_get_structure(told[0].get()), "score", G_TYPE_DOUBLE,
                                &scores[0], "shadow-score", G_TYPE_DOUBLE, &scores[1], nullptr));
  EXPECT_NEAR(scores[1] - scores[0], 0.5, 1e-5);
  const auto line = nlohmann::json::parse(lines_of(log).at(2));
  EXPECT_EQ(line.at("frame"), 2);
  EXPECT_EQ(line.at("pts"), 80 * GST_MSECOND);
  EXPECT_EQ(line.at("verdict"), "PASS");
  EXPECT_EQ(line.at("shadow"), "strict");
  EXPECT_EQ(line.at("shadow_verdict"), "REJECT");
  EXPECT_NEAR(line.at("shadow_score").get<double>(), 0.7, 1e-5);
  EXPECT_EQ(line.at("utc").get<std::string>().size(), 27U);
}

TEST_F(LiveModels, FullDiskUnderTheLogIsWarnedOfOnce) {
  Harness h("uadinfer shadow-log=/dev/full model=" + model() +
            " shadow=" + model({.offset = 0.5}, "strict.uad"));
  ASSERT_TRUE(wait_for_shadow(h));
  for (guint64 i = 1; i <= 3; ++i) {
    score(h);
    ASSERT_TRUE(eventually([&] { return stat(h, "shadow-disagreed") == i; }));
  }
  EXPECT_NE(text_of(h.message(GST_MESSAGE_WARNING)).find("No space left"), std::string::npos);
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", 50ms));
}

TEST_F(LiveModels, SlowShadowDelaysNoFrame) {
  Harness h("uadinfer model=" + model() + " shadow=" + model({.delay_ms = 1500}, "slow.uad"));
  ASSERT_TRUE(wait_for_shadow(h));
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i) EXPECT_NEAR(score(h), 0.2, 1e-5);
  EXPECT_LT(Clock::now() - start, 1400ms) << "before its first frame is done";
  EXPECT_EQ(h.messages("uad-result").size(), 50U);
}

TEST_F(LiveModels, UnreadableShadowLeavesTheModelAloneWithOneWarning) {
  Harness h("uadinfer shadow=/nowhere/x.uad model=" + model());
  EXPECT_EQ(text_of(until(h, GST_MESSAGE_WARNING, "", {0.2})).find("The shadow is not compared: "),
            0U);
  EXPECT_FALSE(emit(h, "promote"));
  EXPECT_NEAR(score(h), 0.2, 1e-5);
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", 50ms));
}

TEST_F(LiveModels, ShadowThatIsTheModelIsRefusedAtReadyAndWarnedOfLater) {
  const std::string file = model();
  GstElement* element = gst_element_factory_make("uadinfer", nullptr);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  g_object_set(element, "model", file.c_str(), nullptr);
  g_object_set(element, "shadow", (folder() / "." / "line3.uad").c_str(), nullptr);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const auto error = MessagePtr::adopt(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  EXPECT_NE(text_of(error).find("set shadow to"), std::string::npos);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_object_unref(element);
  gst_object_unref(bus);

  Harness h("uadinfer model=" + file);
  g_object_set(h.element("uadinfer").get(), "shadow", file.c_str(), nullptr);
  EXPECT_NE(text_of(h.message(GST_MESSAGE_WARNING)).find("set shadow to"), std::string::npos);
  EXPECT_FALSE(emit(h, "promote"));
}

TEST_F(LiveModels, UadpreprocFollowsAnUndoAlthoughTheFileIsAnotherByNow) {
  const std::string file = model();
  Harness h("uadpreproc model=" + file + " ! uadinfer model=" + file);
  const double before = score(h);
  model({.offset = 0.5}, "line3.uad", {{}, {16, 16}});
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  double found = 0;
  for (int i = 0; i < 1000 && found < 0.5; ++i) {
    found = score(h);
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_NEAR(found, 0.7, 1e-5);
  ASSERT_TRUE(emit(h, "undo"));
  for (int i = 0; i < 1000 && found != before; ++i) {
    found = score(h);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(found, before);
  EXPECT_FALSE(
      h.message(static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), "", 0ms));
}

}  // namespace
}  // namespace uad::testing

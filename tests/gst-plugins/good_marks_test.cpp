// SPDX-License-Identifier: LGPL-2.1-or-later
// "This one is good": marking a judged frame of uadinfer, over the stub backend.
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kGood = 51;  // scores 0.2
constexpr int kBad = 204;  // scores 0.8; the stub rejects from 0.5 on and warns from 0.4

class GoodMarksTest : public ElementTest {
 protected:
  [[nodiscard]] fs::path evidence() const { return folder() / "evidence"; }
  [[nodiscard]] std::string line(const std::string& more = "") {
    return "uadinfer model=" + model() + " evidence=" + evidence().string() + " " + more;
  }
  static bool mark(Harness& h, guint64 pts) {
    gboolean known = FALSE;
    g_signal_emit_by_name(h.element("uadinfer").get(), "mark-good", pts, &known);
    return known != FALSE;
  }
  static double score(Harness& h, int grey, int number) {
    const BufferPtr out = h.through(grey, number);
    EXPECT_TRUE(out);
    return out ? uad_result_meta_get_score(uad_buffer_get_result_meta(out.get())) : -1;
  }
  static bool accepted(const MessagePtr& update) {
    gboolean value = FALSE;
    EXPECT_TRUE(update);
    if (update) {
      gst_structure_get_boolean(gst_message_get_structure(update.get()), "accepted", &value);
    }
    return value != FALSE;
  }
  static double real(const MessagePtr& message, const char* name) {
    double value = -1;
    gst_structure_get_double(gst_message_get_structure(message.get()), name, &value);
    return value;
  }
  /// Waits for the first line: the message comes before it.
  [[nodiscard]] std::vector<nlohmann::json> list() const {
    std::vector<nlohmann::json> lines;
    for (int i = 0; i < 500 && lines.empty(); ++i) {
      std::this_thread::sleep_for(10ms);
      std::ifstream file(evidence() / "marks.jsonl");
      for (std::string line; std::getline(file, line);)
        lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }
};

TEST_F(GoodMarksTest, AMarkedFrameIsLearntAndUndoTakesItBack) {
  Harness h(line());
  EXPECT_NEAR(score(h, kGood, 0), 0.2, 1e-5);
  const double rejected = score(h, kBad, 1);
  ASSERT_TRUE(mark(h, GST_SECOND / 25));
  const MessagePtr update = h.message(GST_MESSAGE_ELEMENT, "uad-update");
  EXPECT_TRUE(accepted(update));
  EXPECT_NEAR(real(update, "score-before"), 0.8, 1e-5);
  EXPECT_LT(real(update, "score-after"), 0.4);
  EXPECT_EQ(field(update, "path"), (evidence() / "learnt.uad").string());
  EXPECT_EQ(field(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"), "why"), "good-frame");
  EXPECT_LT(score(h, kBad, 2), 0.4);
  gboolean undone = FALSE;
  g_signal_emit_by_name(h.element("uadinfer").get(), "undo", &undone);
  EXPECT_TRUE(undone);
  EXPECT_EQ(score(h, kBad, 3), rejected) << "to the bit";
  EXPECT_FALSE(fs::exists(evidence() / "learnt.uad")) << "nor does a restart find it";
  EXPECT_TRUE(fs::exists(evidence() / "undone.uad"));
  EXPECT_TRUE(list().back().contains("undone"));
}

TEST_F(GoodMarksTest, UndoBringsBackTheFileOfTheMarkBefore) {
  Harness h(line());
  for (int i = 0; i < 2; ++i) {
    score(h, 204 + 25 * i, i);
    ASSERT_TRUE(mark(h, GST_CLOCK_TIME_NONE));
    ASSERT_TRUE(accepted(h.message(GST_MESSAGE_ELEMENT, "uad-update")));
    ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  }
  EXPECT_TRUE(fs::exists(evidence() / "learnt-before.uad"));
  gboolean undone = FALSE;
  g_signal_emit_by_name(h.element("uadinfer").get(), "undo", &undone);
  EXPECT_TRUE(undone);
  EXPECT_TRUE(fs::exists(evidence() / "learnt.uad"));
  EXPECT_FALSE(fs::exists(evidence() / "learnt-before.uad"));
}

TEST_F(GoodMarksTest, UndoDropsWhatIsBeingLearnt) {
  Harness h("uadinfer evidence=" + evidence().string() +
            " model=" + model({.learn_delay_ms = 20000}, "slow.uad"));
  score(h, kBad, 0);
  ASSERT_TRUE(mark(h, 0));
  gboolean undone = TRUE;
  g_signal_emit_by_name(h.element("uadinfer").get(), "undo", &undone);
  EXPECT_FALSE(undone) << "no model was replaced";
  EXPECT_FALSE(h.message(GST_MESSAGE_ELEMENT, "uad-update", 100ms));
  EXPECT_NEAR(score(h, kBad, 1), 0.8, 1e-5);
}

TEST_F(GoodMarksTest, EvidenceIsKeptOfEveryMark) {
  Harness h(line("kept-defects=" + folder().string()));
  score(h, kBad, 0);
  ASSERT_TRUE(mark(h, 0));
  ASSERT_TRUE(accepted(h.message(GST_MESSAGE_ELEMENT, "uad-update")));
  ASSERT_EQ(list().size(), 1U);
  const nlohmann::json entry = list()[0];
  EXPECT_TRUE(fs::exists(evidence() / entry.at("picture").get<std::string>()));
  EXPECT_EQ(entry.at("accepted"), true);
  EXPECT_EQ(entry.at("verdict"), "REJECT");
  EXPECT_EQ(entry.at("model_sha256").get<std::string>().size(), 64U);
  EXPECT_TRUE(fs::exists(evidence() / "learnt.uad"));
}

TEST_F(GoodMarksTest, ARefusedUpdateSaysWhyAndLeavesTheModel) {
  fs::create_directory(folder() / "refuse");
  Harness h(line("kept-defects=" + (folder() / "refuse").string()));
  score(h, kBad, 0);
  ASSERT_TRUE(mark(h, 0));
  EXPECT_NE(text_of(h.message(GST_MESSAGE_WARNING)).find("A kept defect would pass."),
            std::string::npos);
  const MessagePtr update = h.message(GST_MESSAGE_ELEMENT, "uad-update");
  EXPECT_FALSE(accepted(update));
  EXPECT_EQ(field(update, "why"), "A kept defect would pass.");
  EXPECT_NEAR(score(h, kBad, 1), 0.8, 1e-5);
  EXPECT_EQ(list().at(0).at("accepted"), false);
  EXPECT_FALSE(h.message(GST_MESSAGE_ELEMENT, "uad-model-changed", 50ms));
}

TEST_F(GoodMarksTest, EventsFromBothSidesMark) {
  Harness h(line());
  const auto event = [](GstEventType type, guint64 pts) {
    return gst_event_new_custom(
        type, gst_structure_new("uad-mark-good", "pts", G_TYPE_UINT64, pts, nullptr));
  };
  score(h, kBad, 0);
  gst_harness_push_event(h.get(), event(GST_EVENT_CUSTOM_DOWNSTREAM, 0));
  EXPECT_TRUE(accepted(h.message(GST_MESSAGE_ELEMENT, "uad-update")));
  score(h, 255, 1);
  gst_harness_push_upstream_event(h.get(), event(GST_EVENT_CUSTOM_UPSTREAM, GST_SECOND / 25));
  EXPECT_TRUE(accepted(h.message(GST_MESSAGE_ELEMENT, "uad-update")));
}

TEST_F(GoodMarksTest, OnlyFramesThatDidNotPassAreRemembered) {
  Harness h(line("remember=2"));
  score(h, kGood, 0);
  EXPECT_FALSE(mark(h, 0));
  EXPECT_NE(text_of(h.message(GST_MESSAGE_WARNING)).find("raise remember"), std::string::npos);
  for (int i = 1; i < 4; ++i) score(h, kBad + i, i);
  EXPECT_FALSE(mark(h, GST_SECOND / 25)) << "the oldest of three";
  EXPECT_TRUE(mark(h, 2 * GST_SECOND / 25));
  EXPECT_FALSE(mark(h, 2 * GST_SECOND / 25)) << "twice";
  EXPECT_TRUE(mark(h, GST_CLOCK_TIME_NONE)) << "the newest";
}

TEST_F(GoodMarksTest, WithoutAFolderNothingIsRemembered) {
  Harness h("uadinfer model=" + model());
  score(h, kBad, 0);
  EXPECT_FALSE(mark(h, 0));
  EXPECT_NE(text_of(h.message(GST_MESSAGE_WARNING)).find("Set evidence=FOLDER"), std::string::npos);
}

TEST_F(GoodMarksTest, SettingsThatCannotWorkAreRefusedAtReady) {
  const std::string file = model();
  EXPECT_NE(run_pipeline("videotestsrc ! uadinfer model=" + file +
                         " kept-defects=" + folder().string() + " ! fakesink")
                .find("Set evidence=FOLDER"),
            std::string::npos);
  EXPECT_NE(run_pipeline("videotestsrc ! uadinfer model=" + file +
                         " evidence=" + folder().string() + " kept-defects=/nowhere ! fakesink")
                .find("/nowhere"),
            std::string::npos);
  EXPECT_NE(
      run_pipeline("videotestsrc ! uadinfer model=" + file + " evidence=" + file + " ! fakesink")
          .find("cannot be made"),
      std::string::npos);
}

TEST_F(GoodMarksTest, AVanishedFolderRefusesAndVideoGoesOn) {
  Harness h(line());
  score(h, kBad, 0);
  fs::remove_all(evidence());
  ASSERT_TRUE(mark(h, 0));
  EXPECT_FALSE(accepted(h.message(GST_MESSAGE_ELEMENT, "uad-update")));
  EXPECT_NEAR(score(h, kBad, 1), 0.8, 1e-5);
}

TEST_F(GoodMarksTest, StoppingDoesNotWaitForAnUpdate) {
  const std::string slow = model({.learn_delay_ms = 20000}, "slow.uad");
  const auto start = std::chrono::steady_clock::now();
  {
    Harness h("uadinfer evidence=" + evidence().string() + " model=" + slow);
    score(h, kBad, 0);
    ASSERT_TRUE(mark(h, 0));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

}  // namespace
}  // namespace uad::testing

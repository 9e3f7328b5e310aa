// SPDX-License-Identifier: LGPL-2.1-or-later
// uadtrain over the stub backend: collecting, the fit beside the video, the end of stream.
#include <fstream>
#include <future>

#include "core/base/files/manifest.h"
#include "tests/gst-plugins/fixture.h"
#include "tests/support/process.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Uadtrain : public ElementTest {
 protected:
  [[nodiscard]] fs::path output() const { return folder() / "trained.uad"; }
  [[nodiscard]] std::string line(const std::string& more) const {
    return "uadtrain output=" + output().string() + " " + more;
  }
  static guint64 number(const MessagePtr& message, const char* name) {
    guint64 value = 0;
    if (message) gst_structure_get_uint64(gst_message_get_structure(message.get()), name, &value);
    return value;
  }
  static std::string stage(const Harness& h) {
    GstStructure* found = nullptr;
    g_object_get(h.element("uadtrain").get(), "stats", &found, nullptr);
    const gst::StructurePtr stats(found);
    return gst_structure_get_string(stats.get(), "stage");
  }
  static guint64 stat(const Harness& h, const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(h.element("uadtrain").get(), "stats", &stats, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return value;
  }
};

TEST_F(Uadtrain, LearnsFromTheFirstFramesWhileVideoPasses) {
  Harness h(line("frames=3"));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(h.through(20 * i, i)) << i;
  const MessagePtr ready = h.message(GST_MESSAGE_ELEMENT, "uad-model-ready");
  EXPECT_EQ(field(ready, "path"), output().string());
  EXPECT_EQ(number(ready, "frames"), 3U);
  EXPECT_EQ(field(ready, "sha256"), std::string(64, 'a'));
  EXPECT_EQ(read_manifest(output()).method, "stub");
}

TEST_F(Uadtrain, VideoDoesNotWaitForALongFit) {
  Harness h(line("frames=2 options=options,fit_delay_ms=60000"));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(h.through(20 + i % 2 * 100, i)) << i;
  EXPECT_FALSE(fs::exists(output()));
}

TEST_F(Uadtrain, NearDuplicatesAreLeftOutAndCounted) {
  Harness h(line("min-difference=10"));
  for (int i = 0; i < 6; ++i) h.through(i < 4 ? 20 + i : 200 * (i % 2), i);
  EXPECT_EQ(stat(h, "kept"), 3U) << "20, 0, 200";
  EXPECT_EQ(stat(h, "duplicates"), 3U);
}

TEST_F(Uadtrain, TheEndOfStreamWaitsForTheModel) {
  EXPECT_EQ(run_pipeline("videotestsrc pattern=blink num-buffers=6 ! "
                         "video/x-raw,format=GRAY8,width=64,height=48 ! " +
                         line("options=options,fit_delay_ms=300") + " ! fakesink"),
            "");
  EXPECT_TRUE(fs::exists(output()));
}

TEST_F(Uadtrain, TheEndOfStreamPassesAtOnceIfAskedTo) {
  Harness h(line("hold-eos=false options=options,fit_delay_ms=60000"));
  for (int i = 0; i < 4; ++i) h.through(50 * i, i);
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));  // would hang
  EXPECT_FALSE(fs::exists(output()));
}

TEST_F(Uadtrain, FlushWakesTheEndOfStream) {
  Harness h(line("options=options,fit_delay_ms=60000"));
  for (int i = 0; i < 4; ++i) h.through(50 * i, i);
  auto eos = std::async(std::launch::async,
                        [&] { return gst_harness_push_event(h.get(), gst_event_new_eos()); });
  EXPECT_EQ(eos.wait_for(50ms), std::future_status::timeout);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  EXPECT_EQ(eos.wait_for(5s), std::future_status::ready);
}

TEST_F(Uadtrain, TheFallOfCollectBeginsTheFit) {
  Harness h(line(""));
  for (int i = 0; i < 4; ++i) h.through(50 * i, i);
  g_object_set(h.element("uadtrain").get(), "collect", FALSE, nullptr);
  EXPECT_EQ(number(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"), "frames"), 4U);
}

TEST_F(Uadtrain, AnEventInTheStreamSaysWhichFramesAreCollected) {
  Harness h(line("collect=false"));
  const auto collect = [&](bool now) {
    gst_harness_push_event(
        h.get(), gst_event_new_custom(
                     GST_EVENT_CUSTOM_DOWNSTREAM,
                     gst_structure_new("uad-collect", "collect", G_TYPE_BOOLEAN, now, nullptr)));
  };
  for (int i = 0; i < 9; ++i) {
    if (i == 3) collect(true);
    if (i == 6) collect(false);
    h.through(25 * i, i);
  }
  EXPECT_EQ(number(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"), "frames"), 3U);
}

TEST_F(Uadtrain, CollectsAgainAfterAModel) {
  Harness h(line("frames=3"));
  for (int i = 0; i < 4; ++i) h.through(50 * i, i);
  EXPECT_EQ(number(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"), "frames"), 3U);
  for (int i = 4; i < 8; ++i) h.through(25 * i, i);
  EXPECT_EQ(stat(h, "kept"), 3U) << "not asked for";
  ASSERT_TRUE(eventually([&] { return stage(h) == "ready"; }));
  g_object_set(h.element("uadtrain").get(), "collect", FALSE, nullptr);
  EXPECT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready")) << "fitted once more";
  g_object_set(h.element("uadtrain").get(), "collect", TRUE, nullptr);
  EXPECT_TRUE(eventually([&] { return stage(h) == "collecting"; }));
  for (int i = 8; i < 12; ++i) h.through(20 * i, i);
  EXPECT_EQ(number(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"), "frames"), 6U);
}

TEST_F(Uadtrain, FinishEarlyGivesTheModelOfWhatWasSeen) {
  Harness h(line("frames=3 options=options,fit_delay_ms=10000"));
  for (int i = 0; i < 3; ++i) h.through(50 * i, i);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-progress"));
  g_signal_emit_by_name(h.element("uadtrain").get(), "finish-early");
  EXPECT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"));
}

TEST_F(Uadtrain, ProgressCarriesTheFigureOfTheFit) {
  Harness h(line("frames=2 options=options,fit_delay_ms=1500"));
  for (int i = 0; i < 3; ++i) h.through(50 * i, i);
  double coverage = 10;
  while (coverage >= 10) {  // it falls while the fit goes on
    const MessagePtr progress = h.message(GST_MESSAGE_ELEMENT, "uad-progress");
    ASSERT_TRUE(progress);
    gst_structure_get_double(gst_message_get_structure(progress.get()), "coverage", &coverage);
  }
  EXPECT_GT(coverage, 0);
}

TEST_F(Uadtrain, AModelOfAnotherMethodCannotGoOn) {
  const std::string error =
      run_pipeline("videotestsrc ! " + line("continue-from=" + model()) + " ! fakesink");
  EXPECT_NE(error.find("method stub, but method is patchcore. Set method=stub."), std::string::npos)
      << error;
}

TEST_F(Uadtrain, AFullBudgetBeginsTheFit) {
  Harness h(line("memory-budget=3"));
  h.through(0, 0);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-train-forecast"));
  for (int i = 1; i < 8; ++i) h.through(30 * i, i);
  EXPECT_EQ(number(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"), "frames"), 3U);
}

TEST_F(Uadtrain, ABudgetTooSmallForTheFramesIsToldAtOnce) {
  Harness h(line("memory-budget=3 frames=50"));
  h.through(0, 0);
  const std::string text = text_of(h.message(GST_MESSAGE_WARNING));
  EXPECT_NE(text.find("memory-budget=3 has room for 3 frames, but frames is 50"), std::string::npos)
      << text;
}

TEST_F(Uadtrain, ProgressHasStageFractionAndTimeLeft) {
  Harness h(line("frames=2 options=options,fit_delay_ms=4000"));
  for (int i = 0; i < 2; ++i) h.through(50 * i, i);
  MessagePtr progress;
  double fraction = 0;
  double left = -1;
  while (left < 0) {
    progress = h.message(GST_MESSAGE_ELEMENT, "uad-progress");
    ASSERT_TRUE(progress);
    const GstStructure* structure = gst_message_get_structure(progress.get());
    ASSERT_TRUE(gst_structure_get_double(structure, "fraction", &fraction));
    ASSERT_TRUE(gst_structure_get_double(structure, "eta-s", &left));
  }
  EXPECT_EQ(field(progress, "stage"), "fitting");
  EXPECT_NEAR(left, 4 * (1 - fraction), 1.5);
}

TEST_F(Uadtrain, ACancelledFitLeavesTheOldModelAndCanBeRepeated) {
  std::ofstream(output()) << "old";
  Harness h(line("frames=2 options=options,fit_delay_ms=1000"));
  for (int i = 0; i < 2; ++i) h.through(50 * i, i);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-progress"));
  g_signal_emit_by_name(h.element("uadtrain").get(), "cancel");
  EXPECT_FALSE(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready", 1500ms));
  EXPECT_EQ(fs::file_size(output()), 3U);
  g_signal_emit_by_name(h.element("uadtrain").get(), "fit");
  EXPECT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-model-ready"));
  EXPECT_GT(fs::file_size(output()), 3U);
}

TEST_F(Uadtrain, AFailedFitWarnsWhileVideoPlays) {
  Harness h(line("frames=2 options=options,fail=1"));
  for (int i = 0; i < 2; ++i) h.through(50 * i, i);
  EXPECT_EQ(text_of(h.message(GST_MESSAGE_WARNING)),
            "The video goes on without a new model: The disk is full.");
  EXPECT_TRUE(h.through(1, 3));
}

TEST_F(Uadtrain, AFailedFitIsAnErrorAtTheEndOfStream) {
  EXPECT_EQ(run_pipeline("videotestsrc pattern=blink num-buffers=6 ! "
                         "video/x-raw,format=GRAY8,width=64,height=48 ! " +
                         line("options=options,fail=1") + " ! fakesink"),
            "The disk is full.");
}

TEST_F(Uadtrain, WhatCannotWorkIsRefusedAtReady) {
  const auto refused = [&](const std::string& element, const std::string& text) {
    EXPECT_NE(run_pipeline("videotestsrc num-buffers=2 ! " + element + " ! fakesink").find(text),
              std::string::npos)
        << element;
  };
  refused("uadtrain", "Set output=FILE.uad");
  refused("uadtrain output=/nowhere/at/all/m.uad", "/nowhere/at/all");
  refused(line("frames=1"), "frames is 1");
  refused(line("method=patchcor"), "did you mean \"patchcore\"");
  refused(line("options=options,refuse=1"), "weights are missing");
}

TEST_F(Uadtrain, NoFrameIsAnErrorThatSaysHowMany) {
  const std::string text =
      run_pipeline("videotestsrc num-buffers=1 ! video/x-raw,format=GRAY8,width=64,height=48 ! " +
                   line("") + " ! fakesink");
  EXPECT_NE(text.find("at least 2 good frames, but 1 was collected of 1"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace uad::testing

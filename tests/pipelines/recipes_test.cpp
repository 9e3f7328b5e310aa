// SPDX-License-Identifier: LGPL-2.1-or-later
// Every recipe of pipelines/ is run; what it writes must decode and have as many frames as went in.
#include <algorithm>
#include <cstdlib>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

namespace fs = std::filesystem;

class Recipes : public ElementTest {
 protected:
  /// @return the exit code.
  static int run(const std::string& recipe, const std::string& arguments) {
    const std::string line =
        std::string(UAD_SOURCE_ROOT) + "/pipelines/" + recipe + " " + arguments;
    return WEXITSTATUS(std::system(line.c_str()));
  }
  /// Frames of a video file that decode.
  static int frames_in(const fs::path& file) {
    const std::string line = "filesrc location=" + file.string() +
                             " ! decodebin ! fakesink name=sink signal-handoffs=true sync=false";
    const auto pipeline =
        gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink");
    int count = 0;
    g_signal_connect(sink, "handoff",
                     G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, int* n) { ++*n; }), &count);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline.get());
    const auto end = MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus, 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_object_unref(bus);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    gst_object_unref(sink);
    return end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS ? count : -1;
  }
  [[nodiscard]] std::string in_folder(const std::string& name) const {
    return (folder() / name).string();
  }
  std::vector<fs::path> files(const std::string& sub) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder() / sub)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
};

constexpr char kCamera[] =
    " --source 'videotestsrc is-live=true num-buffers=40 ! video/x-raw,width=320,height=240'";

TEST_F(Recipes, VideoFileKeepsEveryFrame) {
  ASSERT_EQ(run_pipeline("videotestsrc num-buffers=30 ! video/x-raw,width=320,height=240 ! x264enc "
                         "! mp4mux ! filesink location=" +
                         in_folder("in.mp4")),
            "");
  ASSERT_EQ(run("video-file", model() + " " + in_folder("in.mp4") + " " + in_folder("out.mp4")), 0);
  EXPECT_EQ(frames_in(folder() / "out.mp4"), 30);
}

TEST_F(Recipes, ImageFolderAnnotatesEachImageUnderItsName) {
  fs::create_directory(folder() / "in");
  const std::string encoders[] = {"31 ! pngenc", "64 ! pngenc", "48 ! jpegenc"};
  const std::string names[] = {"odd.png", "even.png", "photo.jpg"};
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(run_pipeline("videotestsrc num-buffers=1 ! video/x-raw,height=48,width=" +
                           encoders[i] + " ! filesink location=" + in_folder("in/" + names[i])),
              "");
  }
  ASSERT_EQ(run("image-folder", model() + " " + in_folder("in") + " " + in_folder("out")), 0);
  ASSERT_EQ(files("out").size(), 3U);
  EXPECT_EQ(files("out")[0].filename(), "even.png");
  EXPECT_EQ(files("out")[1].filename(), "odd.png");
  EXPECT_EQ(files("out")[2].filename(), "photo.png");
  for (const auto& image : files("out")) EXPECT_EQ(frames_in(image), 1) << image;
}

TEST_F(Recipes, LiveViewRunsToTheEndOfItsSource) {
  EXPECT_EQ(run("live-view", model() + kCamera + " --sink fakesink"), 0);
}

TEST_F(Recipes, LiveViewRecordWritesSegmentsWithoutLosingFrames) {
  ASSERT_EQ(run("live-view-record",
                model() + " " + in_folder("rec") + kCamera + " --sink fakesink --segment 1"),
            0);
  int frames = 0;
  for (const auto& segment : files("rec")) {
    const int count = frames_in(segment);
    EXPECT_GT(count, 0) << segment;
    frames += count;
  }
  EXPECT_GE(files("rec").size(), 2U);
  EXPECT_EQ(frames, 40);
}

TEST_F(Recipes, LiveViewRecordNeverOverwrites) {
  const std::string arguments =
      model() + " " + in_folder("rec") + kCamera + " --sink fakesink --segment 60";
  ASSERT_EQ(run("live-view-record", arguments), 0);
  ASSERT_EQ(run("live-view-record", arguments), 0);
  EXPECT_EQ(files("rec").size(), 2U);
}

TEST_F(Recipes, RecordAnnotatedKeepsEveryFrameAndRefusesToOverwrite) {
  const std::string arguments = model() + " " + in_folder("out.mkv") + kCamera;
  ASSERT_EQ(run("record-annotated", arguments), 0);
  EXPECT_EQ(frames_in(folder() / "out.mkv"), 40);
  EXPECT_EQ(run("record-annotated", arguments), 1);
}

TEST_F(Recipes, WrongUsageIsToldWithExitCodeTwo) {
  for (const char* recipe :
       {"video-file", "image-folder", "live-view", "live-view-record", "record-annotated"}) {
    EXPECT_EQ(run(recipe, "2>/dev/null"), 2) << recipe;
    EXPECT_EQ(run(recipe, "--help >/dev/null"), 0) << recipe;
  }
}

TEST_F(Recipes, MissingModelEndsARecipeWithAnError) {
  EXPECT_NE(run("live-view", "/nowhere/x.uad 2>/dev/null --sink fakesink" + std::string(kCamera)),
            0);
}

}  // namespace
}  // namespace uad::testing

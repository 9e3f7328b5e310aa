// SPDX-License-Identifier: LGPL-2.1-or-later
// Every recipe of pipelines/ is run; what it writes must decode and have as many frames as went in.
#include "tests/pipelines/recipe.h"

namespace uad::testing {
namespace {

namespace fs = std::filesystem;

class Recipes : public RecipeTest {};

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

TEST_F(Recipes, ImageFolderSaysWhatItCannotDo) {
  const auto put = [&](const std::string& name, const std::string& encoder) {
    ASSERT_EQ(run_pipeline("videotestsrc num-buffers=1 ! video/x-raw,width=64,height=48 ! " +
                           encoder + " ! filesink location=" + in_folder("in/" + name)),
              "");
  };
  const std::string judge = model() + " " + in_folder("in") + " " + in_folder("out");
  fs::create_directory(folder() / "in");
  EXPECT_EQ(run("image-folder", judge + " 2>/dev/null"), 1) << "nothing there";
  put("a.PNG", "pngenc");
  put("b.jpeg", "jpegenc");
  EXPECT_EQ(run("image-folder", judge), 0);
  EXPECT_EQ(files("out").size(), 2U) << "whatever the case, and both endings of JPEG";
  put("a.jpg", "jpegenc");
  EXPECT_EQ(run("image-folder", judge + " 2>/dev/null"), 1) << "a.PNG and a.jpg would be one file";
  fs::remove(folder() / "in" / "a.jpg");
  fs::resize_file(folder() / "in" / "a.PNG", 60);
  fs::remove_all(folder() / "out");
  EXPECT_NE(run("image-folder", judge + " 2>/dev/null"), 0) << "a damaged image";
  EXPECT_TRUE(files("out").empty());
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

TEST_F(Recipes, WatchAndShadowComparesPromotesAndGoesBack) {
  const std::string shadow = model({.offset = 0.9}, "new.uad");
  Background recipe(
      command("watch-and-shadow", in_folder("line3.uad") + " --shadow " + shadow + " --log " +
                                      in_folder("log") + " --sink fakesink >" + in_folder("out") +
                                      " --source 'videotestsrc is-live=true pattern=black ! "
                                      "video/x-raw,width=64,height=48'"));
  const auto says = [&](const std::string& text) {
    return eventually([&] {
      const auto lines = lines_of(folder() / "out");
      return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
      });
    });
  };
  EXPECT_TRUE(says("Frames stay UNSCORED"));
  model();
  EXPECT_TRUE(says("line3.uad (watch)"));
  EXPECT_TRUE(says("but the shadow says REJECT"));
  EXPECT_TRUE(eventually([&] { return !lines_of(folder() / "log").empty(); }));
  recipe.signal(SIGUSR1);
  EXPECT_TRUE(says("new.uad (promote)"));
  recipe.signal(SIGUSR2);
  EXPECT_TRUE(says("line3.uad (undo)"));
  recipe.signal(SIGUSR1);
  EXPECT_TRUE(says("nothing to promote"));
  EXPECT_EQ(recipe.stop(SIGTERM), 0);
}

TEST_F(Recipes, LearnGoodPartsEndsWithTheModel) {
  const std::string source =
      " --source 'videotestsrc pattern=blink num-buffers=20 ! video/x-raw,width=64,height=48'";
  EXPECT_EQ(run("learn-good-parts", in_folder("new.uad") + source + " --sink fakesink --frames 6"),
            0);
  EXPECT_TRUE(fs::exists(folder() / "new.uad"));
  EXPECT_EQ(run("learn-good-parts",
                in_folder("none.uad") + source + " --sink fakesink --options fail=1 2>/dev/null"),
            1);
}

TEST_F(Recipes, LearnGoodPartsGoesOnWithTheModelItHasLearned) {
  ASSERT_EQ(run("learn-good-parts",
                "'" + in_folder("a new.uad") + "'" +
                    " --judge --frames 6 --sink fakesink --source 'videotestsrc is-live=true "
                    "pattern=blink num-buffers=150 ! video/x-raw,width=64,height=48,"
                    "framerate=30/1' >" +
                    in_folder("out")),
            0);
  const auto said = lines_of(folder() / "out");
  const auto says = [&said](const char* text) {
    return std::ranges::any_of(
        said, [text](const std::string& line) { return line.find(text) != std::string::npos; });
  };
  EXPECT_TRUE(says("uad-model-changed"));
  EXPECT_TRUE(says("REJECT")) << "white, which the stub rejects";
}

TEST_F(Recipes, WrongUsageIsToldWithExitCodeTwo) {
  for (const auto& recipe : fs::directory_iterator(fs::path(UAD_SOURCE_ROOT) / "pipelines")) {
    const std::string name = recipe.path().filename().string();
    if (name == "README.md") continue;
    EXPECT_EQ(run(name, "2>/dev/null"), 2) << name;
    EXPECT_EQ(run(name, "--no-such-option x y z 2>/dev/null"), 2) << name;
    EXPECT_EQ(run(name, "--help >/dev/null"), 0) << name;
  }
}

TEST_F(Recipes, MissingModelEndsARecipeWithAnError) {
  EXPECT_NE(run("live-view", "/nowhere/x.uad 2>/dev/null --sink fakesink" + std::string(kCamera)),
            0);
}

}  // namespace
}  // namespace uad::testing

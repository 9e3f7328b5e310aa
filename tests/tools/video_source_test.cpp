// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/video_source.h"

#include <chrono>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/pixels/image.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"
#include "tools/demo_video.h"

namespace uad::tools {
namespace {

using test::expect_error;

/// A video of 20 flat frames, frame i of the grey level 25 + 10 i.
class Video : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir();
    record_video(
        *folder_ / "levels.mp4", kFrames,
        [](int i) { return test::flat_image(64, 48, static_cast<std::uint8_t>(level(i))); },
        [](double, const std::string&) {});
  }
  static void TearDownTestSuite() { delete folder_; }

  static constexpr int kFrames = 20;
  static int level(int frame) { return 25 + 10 * frame; }
  static std::filesystem::path file() { return *folder_ / "levels.mp4"; }

  /// Frame number by its brightness.
  static int number_of(const LabelledFrame& frame) {
    const Image rgb = to_rgb(frame.view, {0, 0, frame.view.width, frame.view.height});
    const int middle = rgb.pixels[rgb.pixels.size() / 2];
    return (middle - 25 + 5) / 10;
  }

  static std::vector<int> numbers(VideoSource& source) {
    std::vector<int> result;
    while (const auto frame = source.next()) result.push_back(number_of(*frame));
    return result;
  }

  static test::TempDir* folder_;
};
test::TempDir* Video::folder_ = nullptr;

TEST_F(Video, AllFramesComeInOrder) {
  VideoSource source(file(), {});
  std::vector<int> all(kFrames);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(numbers(source), all);
}

TEST_F(Video, ARangeIncludesBothEnds) {
  VideoSource source(file(), parse_frame_range("10-13"));
  EXPECT_EQ(source.size(), 4U);
  EXPECT_EQ(numbers(source), (std::vector<int>{10, 11, 12, 13}));
}

TEST_F(Video, RewindStartsAgainFromAnywhere) {
  VideoSource source(file(), parse_frame_range("5-8"));
  (void)source.next();
  (void)source.next();
  source.rewind();
  EXPECT_EQ(numbers(source), (std::vector<int>{5, 6, 7, 8}));
}

TEST_F(Video, FramesOutliveTheSource) {
  std::optional<LabelledFrame> frame;
  {
    VideoSource source(file(), parse_frame_range("15"));
    frame = source.next();
  }
  ASSERT_TRUE(frame);
  EXPECT_EQ(number_of(*frame), 15);
  EXPECT_EQ(frame->name, file().string() + "#15");
  EXPECT_EQ(frame->view.format, PixelFormat::kI420);  // as the decoder gives it
}

TEST_F(Video, ARangePastTheEndSaysHowLongItIs) {
  VideoSource source(file(), parse_frame_range("15-60"));
  expect_error(ErrorCode::kBadFile, {"ends after frame 19", "15-60", "--frames"},
               [&] { return numbers(source); });
}

TEST_F(Video, ColoursAreReadAsTheElementsReadThem) {
  const std::filesystem::path hd = *folder_ / "hd.mp4";
  Pipeline pipeline(
      "videotestsrc num-buffers=3 ! "
      "video/x-raw,format=I420,width=64,height=64,colorimetry=bt709,chroma-site=mpeg2 ! x264enc ! "
      "mp4mux ! filesink location=" +
      hd.string());
  pipeline.play();
  pipeline.run_to_end();
  VideoSource source(hd, {});
  const auto frame = source.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->view.format, PixelFormat::kI420);
  EXPECT_EQ(frame->view.colorimetry,
            (Colorimetry{YuvMatrix::kBt709, YuvRange::kLimited, ChromaSite::kLeft}));
}

TEST_F(Video, AFileCutOffIsAnError) {
  const std::string bytes = test::read_bytes(file());
  for (const char* box : {"mdat", "moov"}) {
    const std::size_t length = bytes.find(box) + 20;
    test::write_bytes(*folder_ / "cut.mp4", bytes.substr(0, length));
    VideoSource source(*folder_ / "cut.mp4", {});
    const auto start = std::chrono::steady_clock::now();
    expect_error(ErrorCode::kBadFile,
                 {"cut.mp4", "is cut off", fmt::format("ends at byte {}", length), "Copy the file"},
                 [&] { return numbers(source); });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  }
}

TEST_F(Video, AFileCutOffBetweenTwoPartsIsAnError) {
  const std::string bytes = test::read_bytes(file());
  test::write_bytes(*folder_ / "cut.mp4", bytes.substr(0, bytes.find("moov") - 4));
  VideoSource source(*folder_ / "cut.mp4", {});
  expect_error(ErrorCode::kBadFile, {"cut.mp4", "is cut off", "no index"},
               [&] { return numbers(source); });
}

TEST_F(Video, WhatTrailsBehindAWholeFileIsIgnored) {
  test::write_bytes(*folder_ / "trail.mp4", test::read_bytes(file()) + "junk that is no box");
  VideoSource source(*folder_ / "trail.mp4", {});
  EXPECT_EQ(numbers(source).size(), std::size_t{kFrames});
}

TEST_F(Video, AFileCutOffBehindItsHeaderIsAnError) {
  const std::filesystem::path whole = *folder_ / "front.mkv";
  Pipeline pipeline(  // noise, so that every frame takes its share of the file
      "videotestsrc pattern=snow num-buffers=100 ! video/x-raw,width=64,height=64,framerate=25/1 "
      "! x264enc ! matroskamux ! filesink location=" +
      whole.string());
  pipeline.play();
  pipeline.run_to_end();
  const std::string bytes = test::read_bytes(whole);
  test::write_bytes(*folder_ / "cut.mkv", bytes.substr(0, bytes.size() / 2));
  VideoSource source(*folder_ / "cut.mkv", {});
  expect_error(ErrorCode::kBadFile, {"cut.mkv", "is cut off", "promises", "Copy the file again"},
               [&] { return numbers(source); });
}

TEST_F(Video, WhatIsNoVideoIsAnError) {
  test::write_bytes(*folder_ / "text.mp4", std::string(5000, 'a'));
  VideoSource source(*folder_ / "text.mp4", {});
  expect_error(ErrorCode::kBadFile, {"text.mp4"}, [&] { return numbers(source); });
}

TEST_F(Video, AMissingFileIsNamed) {
  expect_error(ErrorCode::kNotFound, {"/nowhere/a.mp4", "does not exist"},
               [] { return VideoSource("/nowhere/a.mp4", {}).size(); });
}

TEST(FrameRange, ReadsItsForms) {
  EXPECT_EQ(parse_frame_range("3-9").first, 3);
  EXPECT_EQ(parse_frame_range("3-9").last, 9);
  EXPECT_EQ(parse_frame_range("3-").last, std::nullopt);
  EXPECT_EQ(parse_frame_range("7").last, 7);
  EXPECT_EQ(parse_frame_range("").first, 0);
  for (const char* bad : {"9-3", "-3", "a-b", "1-2-3", "1.5"}) {
    expect_error(ErrorCode::kBadOption, {"frames", bad}, [&] { return parse_frame_range(bad); });
  }
}

}  // namespace
}  // namespace uad::tools

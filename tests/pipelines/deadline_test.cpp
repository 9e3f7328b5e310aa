// SPDX-License-Identifier: LGPL-2.1-or-later
// A real model of many windows in a pipeline that has time for one of them.
#include <random>

#include <fmt/format.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "core/data/image_io.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 256;
constexpr int kHeight = 128;
constexpr guint kWindows = 21;  // of 64x64, half over each other: 7 x 3

/// A brushed sheet. `scratch`: with a bright line in its right half.
Image sheet(unsigned seed, bool scratch) {
  std::mt19937 random(seed);
  Image image{kWidth, kHeight, 3, std::vector<std::uint8_t>(kWidth * kHeight * 3)};
  for (int y = 0; y < kHeight; ++y) {
    const int row = 90 + static_cast<int>(random() % 30);
    for (int x = 0; x < kWidth; ++x) {
      const bool inside = scratch && std::abs(x - y - 110) < 4 && y > 50 && y < 90;
      const int grey = (inside ? 130 : 0) + row + static_cast<int>(random() % 12);
      for (int c = 0; c < 3; ++c) {
        image.pixels[static_cast<std::size_t>(3 * (y * kWidth + x) + c)] =
            static_cast<std::uint8_t>(grey);
      }
    }
  }
  return image;
}

struct Seen {
  UadVerdict verdict = UAD_VERDICT_UNSCORED;
  double score = 0;
  UadCoverage coverage{};
  std::vector<float> map;
};

class Line {
 public:
  explicit Line(const std::string& elements) {
    gst_init(nullptr, nullptr);
    const std::string line = fmt::format(
        "appsrc name=camera format=time caps=video/x-raw,format=RGB,width={},height={},"
        "framerate=25/1 ! {} ! appsink name=sink sync=false",
        kWidth, kHeight, elements);
    pipeline_ = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
    camera_ =
        gst::ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "camera"));
    sink_ =
        gst::ObjectPtr<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Line() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Seen show(const Image& image) {
    GstBuffer* buffer = gst_buffer_new_memdup(image.pixels.data(), image.pixels.size());
    GST_BUFFER_PTS(buffer) = shown_++ * 40 * GST_MSECOND;
    gst_app_src_push_buffer(GST_APP_SRC(camera_.get()), buffer);
    const auto sample = gst::SamplePtr::adopt(
        gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 60 * GST_SECOND));
    Seen seen;
    if (!sample) {
      ADD_FAILURE() << "no frame came out";
      return seen;
    }
    const UadResultMeta* meta = uad_buffer_get_result_meta(gst_sample_get_buffer(sample.get()));
    seen.verdict = uad_result_meta_get_verdict(meta);
    seen.score = uad_result_meta_get_score(meta);
    EXPECT_TRUE(uad_result_meta_get_coverage(meta, &seen.coverage));
    int width = 0;
    int height = 0;
    const float* map = uad_result_meta_get_map(meta, &width, &height);
    seen.map.assign(map, map + static_cast<std::ptrdiff_t>(width) * height);
    return seen;
  }

 private:
  gst::ObjectPtr<GstElement> pipeline_, camera_, sink_;
  guint64 shown_ = 0;
};

class ScratchedSheets : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir();
    fs::create_directories(*folder_ / "good");
    for (unsigned i = 0; i < 16; ++i) {
      write_png(*folder_ / "good" / fmt::format("{:02}.png", i), sheet(i, false));
    }
    const auto trained = test::run_uad({"train", "--method", "patchcore", "--backbone", "gabor",
                                        "--data", *folder_ / "good", "--resize", "0x0", "--window",
                                        "64x64", "--stride", "32x32", "--output", model()});
    ASSERT_EQ(trained.code, 0) << trained.err;
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string model() { return *folder_ / "sheet.uad"; }
  static std::string infer(const std::string& more) {
    return "uadinfer max-age=5000 model=" + model() + " " + more;
  }

  static test::TempDir* folder_;
};

test::TempDir* ScratchedSheets::folder_ = nullptr;

TEST_F(ScratchedSheets, ADefectIsFoundWithinTheStatedFramesByOneWindowAFrame) {
  Line line(infer("deadline=1"));
  const Seen first = line.show(sheet(100, false));
  EXPECT_EQ(first.coverage.windows, kWindows);
  EXPECT_EQ(first.coverage.analysed, kWindows);
  ASSERT_EQ(first.verdict, UAD_VERDICT_PASS);
  for (unsigned i = 0; i < 3; ++i) {
    const Seen seen = line.show(sheet(101 + i, false));
    EXPECT_EQ(seen.coverage.analysed, 1U);
    EXPECT_EQ(seen.coverage.within, kWindows);
    EXPECT_EQ(seen.verdict, UAD_VERDICT_PASS);
  }
  guint frames = 1;
  Seen found = line.show(sheet(200, true));
  for (; found.verdict != UAD_VERDICT_REJECT && frames <= 2 * kWindows; ++frames) {
    EXPECT_LT(found.coverage.oldest, found.coverage.within);
    found = line.show(sheet(200 + frames, true));
  }
  EXPECT_LE(frames, kWindows);
  for (unsigned i = 0; i < 10; ++i) {
    const Seen seen = line.show(sheet(300 + i, true));
    EXPECT_EQ(seen.verdict, UAD_VERDICT_REJECT);
    EXPECT_EQ(seen.coverage.analysed, 2U) << "the oldest and the worst";
  }
  frames = 1;
  while (line.show(sheet(400 + frames, false)).verdict == UAD_VERDICT_REJECT &&
         frames <= 2 * kWindows) {
    ++frames;
  }
  EXPECT_LE(frames, kWindows) << "until it is gone";
}

TEST_F(ScratchedSheets, WithTimeForAllTheAnswerIsThatWithoutDeadlineToTheBit) {
  Line with(infer("deadline=60000"));
  Line without(infer(""));
  for (unsigned i = 0; i < 4; ++i) {
    const Image image = sheet(500 + i, i % 2 == 1);
    const Seen a = with.show(image);
    const Seen b = without.show(image);
    EXPECT_EQ(a.score, b.score);
    EXPECT_EQ(a.map, b.map);
    EXPECT_EQ(a.verdict, b.verdict);
    EXPECT_EQ(a.coverage.analysed, kWindows);
  }
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// uadpreproc alone and in front of uadinfer.
#include <future>

#include "gst-plugins/common/demand.h"
#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;

class Uadpreproc : public ElementTest {
 protected:
  /// uadpreproc and uadinfer of one model, with more properties of each.
  std::string both(const std::string& file, const std::string& preproc = "",
                   const std::string& infer = "", const std::string& between = "") {
    return "uadpreproc model=" + file + " " + preproc + " ! " + between +
           " uadinfer model=" + file + " " + infer;
  }
};

/// GRAY8 64x48, left half black, right half white.
BufferPtr half_white(const Harness& h) {
  BufferPtr frame = h.frame(0, 0);
  GstMapInfo map;
  gst_buffer_map(frame.get(), &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; ++i) map.data[i] = i % 64 < 32 ? 0 : 255;
  gst_buffer_unmap(frame.get(), &map);
  return frame;
}

double score_of(const BufferPtr& buffer) {
  return uad_result_meta_get_score(uad_buffer_get_result_meta(buffer.get()));
}

double score_of_half_white(const std::string& launch) {
  Harness h(launch);
  gst_harness_push(h.get(), half_white(h).release());
  const auto out = BufferPtr::adopt(gst_harness_try_pull(h.get()));
  EXPECT_TRUE(out) << text_of(h.message(GST_MESSAGE_ERROR));
  return out ? score_of(out) : -1;
}

TEST_F(Uadpreproc, TilesGiveTheSameScoreAsUadinferAlone) {
  const std::string file = model();
  const double alone = score_of_half_white("uadinfer model=" + file);
  EXPECT_NEAR(alone, 0.5, 0.01);
  EXPECT_DOUBLE_EQ(score_of_half_white(both(file)), alone);
}

TEST_F(Uadpreproc, FrameIsCutOnce) {
  Harness h(both(model()));
  ASSERT_TRUE(h.through(10, 0));
  const int before = stub_counter("uad_stub_cuts");
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(h.through(10, i));
  EXPECT_EQ(stub_counter("uad_stub_cuts") - before, 10);
}

TEST_F(Uadpreproc, RegionOfInterestMayDifferFromTheModels) {
  EXPECT_DOUBLE_EQ(score_of_half_white(both(model(), "roi=32,0,32,48")), 1);
  EXPECT_DOUBLE_EQ(score_of_half_white(both(model(), "roi=0,0,32,48")), 0);
}

TEST_F(Uadpreproc, ModelsOwnRegionOfInterestIsTheDefault) {
  const std::string file = model({}, "roi.uad", {{32, 0, 32, 48}, {32, 32}});
  EXPECT_DOUBLE_EQ(score_of_half_white(both(file)), 1);
}

TEST_F(Uadpreproc, MaskIgnoresTheBlackPart) {
  Harness plain(both(model()));
  EXPECT_NEAR(score_of(plain.through(255, 0)), 1, 1e-6);
  Harness masked(both(model(), "mask=" + model({}, "mask.png")));
  EXPECT_NEAR(score_of(masked.through(255, 0)), 0.5, 1e-6);
}

TEST_F(Uadpreproc, MaskInsideTheModelIsUsed) {
  Harness h(both(model({.mask = true})));
  EXPECT_NEAR(score_of(h.through(255, 0)), 0.5, 1e-6);
}

TEST_F(Uadpreproc, WhiteLevelSaysWhatIsWhiteIn16BitGrey) {
  constexpr char kGrey16[] = "video/x-raw,format=GRAY16_LE,width=64,height=48,framerate=25/1";
  constexpr int kByte = 15;  // both bytes of 3855
  const std::string file = model();
  for (const std::string& line : {both(file), "uadinfer model=" + file}) {
    EXPECT_NEAR(score_of(Harness(line, kGrey16).through(kByte, 0)), 15 / 255.0, 1e-6) << line;
  }
  for (const std::string& line :
       {both(file, "white-level=3855"), "uadinfer white-level=3855 model=" + file}) {
    EXPECT_NEAR(score_of(Harness(line, kGrey16).through(kByte, 0)), 1, 1e-6) << line;
  }
}

TEST_F(Uadpreproc, EveryFormatOfItsPadsIsReadAndPainted) {
  const Harness any("uadpreproc model=" + model());
  const auto element = any.element("uadpreproc");
  const auto pad = gst::ObjectPtr<GstPad>::adopt(gst_element_get_static_pad(element.get(), "sink"));
  const auto caps = gst::CapsPtr::adopt(gst_pad_get_pad_template_caps(pad.get()));
  const GValue* formats = gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "format");
  ASSERT_GE(gst_value_list_get_size(formats), 18U);
  for (guint i = 0; i < gst_value_list_get_size(formats); ++i) {
    const std::string format = g_value_get_string(gst_value_list_get_value(formats, i));
    EXPECT_EQ(run_pipeline("videotestsrc num-buffers=2 ! video/x-raw,width=63,height=47,format=" +
                           format + " ! " + both(model()) + " ! uadoverlay ! fakesink"),
              "")
        << format;
  }
}

TEST_F(Uadpreproc, OtherGeometryIsRefusedWithTheFix) {
  Harness h(both(model(), "resize=16x16"));
  EXPECT_EQ(h.push(10, 0), GST_FLOW_ERROR);
  const std::string text = text_of(h.message(GST_MESSAGE_ERROR));
  EXPECT_NE(text.find("resize 32x32"), std::string::npos) << text;
  EXPECT_NE(text.find("cut with resize 16x16"), std::string::npos) << text;
  EXPECT_NE(text.find("Set `uadpreproc model`"), std::string::npos) << text;
}

TEST_F(Uadpreproc, TilesLostOnTheWayAreAnErrorNotAnotherRegion) {
  Harness h(both(model(), "roi=0,0,32,48", "", "videoscale ! video/x-raw,width=32,height=24 !"));
  EXPECT_EQ(h.push(10, 0), GST_FLOW_ERROR);
  EXPECT_NE(text_of(h.message(GST_MESSAGE_ERROR)).find("connect the two directly"),
            std::string::npos);
}

TEST_F(Uadpreproc, FramesOutsideTheIntervalAreNotCut) {
  Harness h(both(model(), "", "interval=4"));
  ASSERT_TRUE(h.through(10, 0));
  const int before = stub_counter("uad_stub_cuts");
  for (int i = 1; i <= 8; ++i) ASSERT_TRUE(h.through(10, i));
  EXPECT_EQ(stub_counter("uad_stub_cuts") - before, 2);
  EXPECT_EQ(h.messages("uad-result").size(), 3U);
}

TEST_F(Uadpreproc, FramesThatABusyUadinferCannotTakeAreNotCut) {
  Harness h(both(model({.delay_ms = 400}), "", "live-policy=latest"));
  ASSERT_TRUE(h.wait_for_model());
  const int before = stub_counter("uad_stub_cuts");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(h.through(10, i));
  EXPECT_LE(stub_counter("uad_stub_cuts") - before, 4);
}

TEST_F(Uadpreproc, VideoPassesUntouched) {
  Harness h("uadpreproc model=" + model());
  const BufferPtr in = half_white(h);
  const BufferPtr copy = BufferPtr::adopt(gst_buffer_copy_deep(in.get()));
  gst_harness_push(h.get(), BufferPtr(in).release());
  const auto out = BufferPtr::adopt(gst_harness_pull(h.get()));
  GstMapInfo map;
  gst_buffer_map(copy.get(), &map, GST_MAP_READ);
  EXPECT_EQ(gst_buffer_memcmp(out.get(), 0, map.data, map.size), 0);
  gst_buffer_unmap(copy.get(), &map);
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(in.get(), 0))
      << "not even a copy of it";
}

TEST_F(Uadpreproc, ImpossibleRegionIsAnErrorThatNamesTheProperty) {
  Harness h("uadpreproc roi=banana model=" + model());
  EXPECT_EQ(h.push(0, 0), GST_FLOW_ERROR);
  EXPECT_NE(text_of(h.message(GST_MESSAGE_ERROR)).find("roi"), std::string::npos);
}

TEST_F(Uadpreproc, NoModelIsAnErrorThatNamesTheProperty) {
  EXPECT_NE(run_pipeline("videotestsrc num-buffers=1 ! uadpreproc ! fakesink").find("set model="),
            std::string::npos);
}

TEST_F(Uadpreproc, RunsThroughAQueueAndATee) {
  const std::string file = model();
  EXPECT_EQ(run_pipeline("videotestsrc num-buffers=20 ! uadpreproc model=" + file +
                         " ! tee name=t ! queue ! uadinfer model=" + file +
                         " ! fakesink t. ! queue ! uadinfer model=" + file + " ! fakesink"),
            "");
}

TEST(Demands, NobodyAskedMeansEveryFrame) {
  const gst::Demands demands;
  EXPECT_TRUE(demands.wants(0));
  EXPECT_TRUE(demands.wants(1));
}

TEST(Demands, FrameIsWantedIfAnybodyWantsIt) {
  gst_init(nullptr, nullptr);
  gst::Demands demands;
  EXPECT_TRUE(demands.read(gst::demand_event("a", {false, false, 1}).get()));
  EXPECT_FALSE(demands.wants(0));
  EXPECT_TRUE(demands.read(gst::demand_event("b", {true, true, 3}).get()));
  EXPECT_TRUE(demands.wants(0));
  EXPECT_FALSE(demands.wants(1));
  EXPECT_TRUE(demands.wants(3));
  EXPECT_TRUE(demands.every());
}

}  // namespace
}  // namespace uad::testing

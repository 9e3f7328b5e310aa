// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer gets another model while uadpreproc cuts for the old one.
#include <cmath>
#include <set>
#include <thread>

#include "gst-plugins/common/demand.h"
#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const InputSpec kSmall{{}, {16, 16}};

class ModelChange : public ElementTest {
 protected:
  std::string both(const std::string& file, const std::string& preproc = "",
                   const std::string& infer = "") {
    return "uadpreproc model=" + file + " " + preproc + " ! uadinfer model=" + file + " " + infer;
  }
};

struct Seen {
  double score = -1;
  int map_width = 0;
};

Seen seen_on(const BufferPtr& out) {
  const UadResultMeta* meta = out ? uad_buffer_get_result_meta(out.get()) : nullptr;
  if (meta == nullptr) return {};
  int width = 0;
  int height = 0;
  uad_result_meta_get_map(meta, &width, &height);
  return {uad_result_meta_get_score(meta), width};
}

/// Pushes frames of grey 51 (score 0.2 plus the model's offset) until a map is this wide.
/// @return every score on the way, rounded to tenths; -10 = a frame was lost.
std::set<int> scores_until_map_is(Harness& h, int width) {
  std::set<int> scores;
  Seen seen;
  for (const auto end = Clock::now() + 5s; seen.map_width != width && Clock::now() < end;) {
    seen = seen_on(h.through(51, 1));
    scores.insert(static_cast<int>(std::lround(10 * seen.score)));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(seen.map_width, width);
  return scores;
}

TEST_F(ModelChange, UadpreprocFollowsAReloadedFileAndNoFrameIsLost) {
  Harness h(both(model()));
  ASSERT_EQ(seen_on(h.through(51, 0)).map_width, 32);
  model({.offset = 0.5}, "line3.uad", kSmall);
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  const auto scores = scores_until_map_is(h, 16);
  EXPECT_EQ(scores.count(-10), 0U);
  EXPECT_EQ(scores.count(7), 1U);
  EXPECT_LE(scores.size(), 2U) << "only the old model's score and the new one's";
  EXPECT_FALSE(
      h.message(static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), "", 0ms));
}

TEST_F(ModelChange, UadpreprocFollowsToAnotherFileOnALiveSource) {
  const std::string other = model({.offset = 0.5}, "other.uad", kSmall);
  Harness h(both(model(), "", "max-age=60000"), Harness::kGrey, true);
  ASSERT_TRUE(h.wait_for_model());
  scores_until_map_is(h, 32);
  g_object_set(h.element("uadinfer").get(), "model", other.c_str(), nullptr);
  scores_until_map_is(h, 16);
  gchar* followed = nullptr;
  g_object_get(h.element("uadpreproc").get(), "model", &followed, nullptr);
  EXPECT_EQ(gst::take_string(followed), other);
}

TEST_F(ModelChange, MaskOfTheNewModelIsUsed) {
  Harness h(both(model()));
  EXPECT_NEAR(seen_on(h.through(51, 0)).score, 0.2, 1e-5);
  model({.mask = true});
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  double score = 1;
  for (int i = 1; i < 1000 && score > 0.15; ++i) {
    score = seen_on(h.through(51, i)).score;
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_NEAR(score, 0.1, 1e-5) << "the left half is ignored";
}

TEST_F(ModelChange, RegionOfInterestOfUadpreprocStays) {
  Harness h(both(model(), "roi=32,0,32,48"));
  ASSERT_EQ(seen_on(h.through(51, 0)).map_width, 32);
  model({}, "line3.uad", kSmall);
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  scores_until_map_is(h, 16);
  UadPlacement at{};
  const BufferPtr out = h.through(51, 2);
  ASSERT_TRUE(uad_result_meta_get_map_placement(uad_buffer_get_result_meta(out.get()), &at));
  EXPECT_EQ(at.x, 32);
}

TEST_F(ModelChange, PinnedGeometryKeepsTheOldModelWithOneWarning) {
  Harness h(both(model(), "resize=32x32"));
  ASSERT_EQ(seen_on(h.through(51, 0)).map_width, 32);
  model({.offset = 0.5}, "line3.uad", kSmall);
  g_signal_emit_by_name(h.element("uadinfer").get(), "reload");
  MessagePtr warning;
  for (int i = 1; i < 1000 && !warning; ++i) {
    EXPECT_NEAR(seen_on(h.through(51, i)).score, 0.2, 1e-5);
    warning = h.message(GST_MESSAGE_WARNING, "", 2ms);
  }
  EXPECT_EQ(text_of(warning).find("uadpreproc keeps cutting for the old model: "), 0U);
  EXPECT_NE(text_of(warning).find("resize 16x16"), std::string::npos);
  EXPECT_NEAR(seen_on(h.through(51, 0)).score, 0.2, 1e-5);
  EXPECT_FALSE(h.message(GST_MESSAGE_WARNING, "", 50ms));
}

TEST(Demands, SwappedModelIsToldOnceAndAGapIsNoSwap) {
  gst_init(nullptr, nullptr);
  gst::Demands demands;
  const auto read = [&](const std::string& file, const std::string& hash) {
    return demands.read(gst::demand_event("a", {true, true, 1, file, hash, {}}).get())->model;
  };
  EXPECT_EQ(read("", ""), "");
  EXPECT_EQ(read("x.uad", "1"), "") << "the first model is the one that uadpreproc was set to";
  EXPECT_EQ(read("x.uad", "2"), "x.uad");
  EXPECT_EQ(read("x.uad", "2"), "");
  EXPECT_EQ(read("", ""), "");
  EXPECT_EQ(read("x.uad", "2"), "");
  EXPECT_EQ(read("y.uad", "2"), "y.uad");
}

}  // namespace
}  // namespace uad::testing

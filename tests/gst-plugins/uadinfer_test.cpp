// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer over the stub backend: what it attaches, posts and refuses.
#include <gst/video/gstvideometa.h>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

class Uadinfer : public ElementTest {};

std::string infer(const std::string& model, const std::string& more = "") {
  return "uadinfer model=" + model + " " + more;
}

TEST_F(Uadinfer, EveryFrameOfAFileCarriesItsOwnVerdict) {
  Harness h(infer(model()));
  const int greys[] = {10, 110, 200};
  const UadVerdict verdicts[] = {UAD_VERDICT_PASS, UAD_VERDICT_WARN, UAD_VERDICT_REJECT};
  for (int i = 0; i < 3; ++i) {
    const BufferPtr out = h.through(greys[i], i);
    ASSERT_TRUE(out);
    const UadResultMeta* meta = uad_buffer_get_result_meta(out.get());
    ASSERT_NE(meta, nullptr);
    EXPECT_EQ(uad_result_meta_get_verdict(meta), verdicts[i]);
    EXPECT_NEAR(uad_result_meta_get_score(meta), greys[i] / 255.0, 1e-5);
    EXPECT_EQ(uad_result_meta_get_pts(meta), GST_BUFFER_PTS(out.get()));
    EXPECT_EQ(uad_result_meta_get_age(meta), 0U);
    EXPECT_STREQ(uad_result_meta_get_note(meta), "");
  }
}

TEST_F(Uadinfer, MetaTellsModelThresholdsMapAndTimes) {
  Harness h(infer(model(), "reject-threshold=0.6"));
  const BufferPtr out = h.through(255, 7);
  const UadResultMeta* meta = uad_buffer_get_result_meta(out.get());
  ASSERT_NE(meta, nullptr);
  EXPECT_STREQ(uad_result_meta_get_model_name(meta), "line3");
  EXPECT_EQ(std::string(uad_result_meta_get_model_sha256(meta)).size(), 64U);
  UadThresholds used{};
  ASSERT_TRUE(uad_result_meta_get_thresholds(meta, &used));
  EXPECT_DOUBLE_EQ(used.image.thr, 0.6);
  EXPECT_DOUBLE_EQ(used.map.thr, 0.5);
  gint width = 0;
  gint height = 0;
  const gfloat* map = uad_result_meta_get_map(meta, &width, &height);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(width, 32);
  EXPECT_EQ(height, 32);
  EXPECT_FLOAT_EQ(map[32 * 32 - 1], 1.0F);
  UadTimings timings{};
  ASSERT_TRUE(uad_result_meta_get_timings(meta, &timings));
  EXPECT_GT(timings.cut_ms, 0);
  EXPECT_GE(timings.total_ms, timings.cut_ms + timings.infer_ms);
  EXPECT_GT(uad_result_meta_get_utc(meta), 1'700'000'000'000'000);
}

TEST_F(Uadinfer, ToldProductReachesTheModelAndComesBackWithTheResult) {
  Harness h(infer(model(), "product=bracket"));
  const BufferPtr out = h.through(100, 0);
  EXPECT_STREQ(uad_result_meta_get_product(uad_buffer_get_result_meta(out.get())), "bracket");
  EXPECT_EQ(field(h.message(GST_MESSAGE_ELEMENT, "uad-result"), "product"), "bracket");
  g_object_set(h.element("uadinfer").get(), "product", "hinge", nullptr);
  const BufferPtr later = h.through(100, 1);
  EXPECT_STREQ(uad_result_meta_get_product(uad_buffer_get_result_meta(later.get())), "hinge");
}

TEST_F(Uadinfer, RegionComesAsMetaAndAsRegionOfInterest) {
  Harness h(infer(model()));
  const BufferPtr out = h.through(200, 0);
  const UadResultMeta* meta = uad_buffer_get_result_meta(out.get());
  ASSERT_EQ(uad_result_meta_get_n_regions(meta), 1U);
  UadRegion region{};
  ASSERT_TRUE(uad_result_meta_get_region(meta, 0, &region));
  EXPECT_EQ(region.x, 0);
  EXPECT_EQ(region.width, 64);
  EXPECT_EQ(region.height, 48);
  EXPECT_FALSE(uad_result_meta_get_region(meta, 1, &region));
  const auto* roi = gst_buffer_get_video_region_of_interest_meta(out.get());
  ASSERT_NE(roi, nullptr);
  EXPECT_STREQ(g_quark_to_string(roi->roi_type), "anomaly");
  EXPECT_EQ(roi->w, 64U);
  EXPECT_EQ(roi->h, 48U);
}

TEST_F(Uadinfer, ResultMessageHasTheDocumentedFields) {
  Harness h(infer(model(), "tags=station-4"));
  h.through(0, 2);
  h.through(200, 3);
  ASSERT_TRUE(h.message(GST_MESSAGE_ELEMENT, "uad-result"));
  const MessagePtr message = h.message(GST_MESSAGE_ELEMENT, "uad-result");
  ASSERT_TRUE(message);
  guint64 frame = 0;
  guint64 pts = 0;
  gdouble score = 0;
  gdouble normalised = 0;
  gdouble latency = 0;
  const GstStructure* s = gst_message_get_structure(message.get());
  ASSERT_TRUE(gst_structure_get(s, "frame", G_TYPE_UINT64, &frame, "pts", G_TYPE_UINT64, &pts,
                                "score", G_TYPE_DOUBLE, &score, "normalised-score", G_TYPE_DOUBLE,
                                &normalised, "latency-ms", G_TYPE_DOUBLE, &latency, nullptr));
  EXPECT_EQ(frame, 1U);
  EXPECT_EQ(pts, 120 * GST_MSECOND);
  EXPECT_NEAR(score, 200 / 255.0, 1e-5);
  EXPECT_NEAR(normalised, 200 / 255.0, 1e-5);
  EXPECT_GT(latency, 0);
  EXPECT_EQ(field(message, "verdict"), "REJECT");
  EXPECT_EQ(field(message, "model"), "line3");
  EXPECT_EQ(field(message, "tags"), "station-4");
  EXPECT_EQ(field(message, "utc").size(), std::string("2026-01-01T00:00:00.000000Z").size());
  const GValue* regions = gst_structure_get_value(s, "regions");
  ASSERT_TRUE(GST_VALUE_HOLDS_LIST(regions));
  ASSERT_EQ(gst_value_list_get_size(regions), 1U);
  EXPECT_TRUE(GST_VALUE_HOLDS_STRUCTURE(gst_value_list_get_value(regions, 0)));
}

TEST_F(Uadinfer, MessagesChangeSpeaksOnlyWhenTheVerdictChanges) {
  Harness h(infer(model(), "messages=change"));
  for (const int grey : {10, 12, 200, 210, 10}) h.through(grey, 0);
  std::string verdicts;
  for (const auto& message : h.messages("uad-result")) verdicts += field(message, "verdict") + " ";
  EXPECT_EQ(verdicts, "PASS REJECT PASS ");
}

}  // namespace
}  // namespace uad::testing

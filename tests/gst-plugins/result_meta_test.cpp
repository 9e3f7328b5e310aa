// SPDX-License-Identifier: LGPL-2.1-or-later
// The result meta as an application sees it.
#include <cmath>

#include <gst/video/video.h>

#include "gst-plugins/meta/result.h"
#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

class ResultMeta : public ElementTest {
 protected:
  ResultMeta() {
    const UadRegion region{10, 20, 30, 40, 600, 25, 40, 0.9F, 0.8F};
    static const float values[] = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
    UadResultFields fields{};
    fields.score = 0.75;
    fields.regions = &region;
    fields.n_regions = 1;
    fields.map = g_bytes_new_static(values, sizeof values);
    fields.map_width = 3;
    fields.map_height = 2;
    fields.placement = {0, 0, 100, 80};
    fields.model_name = "line3";
    result_ = uad_result_new(&fields);
    g_bytes_unref(fields.map);
    buffer_ = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, 100 * 80, nullptr));
    uad_buffer_add_result_meta(buffer_.get(), result_, UAD_VERDICT_REJECT, 5 * GST_MSECOND, "");
  }
  ~ResultMeta() override { uad_result_unref(result_); }
  UadResult* result_;
  BufferPtr buffer_;
};

/// What videoscale does with metas.
void scale_into(GstBuffer* target, GstBuffer* source, int width, int height) {
  GstVideoInfo from;
  GstVideoInfo to;
  gst_video_info_set_format(&from, GST_VIDEO_FORMAT_GRAY8, 100, 80);
  gst_video_info_set_format(&to, GST_VIDEO_FORMAT_GRAY8, static_cast<guint>(width),
                            static_cast<guint>(height));
  GstVideoMetaTransform scale = {&from, &to};
  GstMeta* meta = gst_buffer_get_meta(source, UAD_RESULT_META_API_TYPE);
  ASSERT_TRUE(meta->info->transform_func(target, meta, source,
                                         gst_video_meta_transform_scale_get_quark(), &scale));
}

TEST_F(ResultMeta, CopyOfTheBufferSharesTheMap) {
  const auto copy = BufferPtr::adopt(gst_buffer_copy(buffer_.get()));
  gint width = 0;
  gint height = 0;
  const gfloat* a =
      uad_result_meta_get_map(uad_buffer_get_result_meta(buffer_.get()), &width, &height);
  EXPECT_EQ(a, uad_result_meta_get_map(uad_buffer_get_result_meta(copy.get()), &width, &height));
  buffer_.reset();
  EXPECT_FLOAT_EQ(a[5], 0.6F) << "the copy keeps it";
}

TEST_F(ResultMeta, ScalesRegionsAndPlacementNotScores) {
  const auto half = BufferPtr::adopt(gst_buffer_new());
  scale_into(half.get(), buffer_.get(), 50, 160);
  const UadResultMeta* meta = uad_buffer_get_result_meta(half.get());
  UadRegion region{};
  ASSERT_TRUE(uad_result_meta_get_region(meta, 0, &region));
  EXPECT_EQ(region.x, 5);
  EXPECT_EQ(region.y, 40);
  EXPECT_EQ(region.width, 15);
  EXPECT_EQ(region.height, 80);
  EXPECT_DOUBLE_EQ(region.area, 600);
  EXPECT_DOUBLE_EQ(region.centroid_x, 12.5);
  UadPlacement at{};
  ASSERT_TRUE(uad_result_meta_get_map_placement(meta, &at));
  EXPECT_DOUBLE_EQ(at.width, 50);
  EXPECT_DOUBLE_EQ(at.height, 160);
  EXPECT_DOUBLE_EQ(uad_result_meta_get_score(meta), 0.75);
  EXPECT_EQ(uad_result_meta_get_verdict(meta), UAD_VERDICT_REJECT);
  EXPECT_EQ(uad_result_meta_get_age(meta), 5 * GST_MSECOND);
}

TEST_F(ResultMeta, ScalingsMultiply) {
  const auto once = BufferPtr::adopt(gst_buffer_new());
  scale_into(once.get(), buffer_.get(), 200, 160);
  const auto twice = BufferPtr::adopt(gst_buffer_new());
  scale_into(twice.get(), once.get(), 200, 160);  // from 100x80 again: times two
  UadRegion region{};
  ASSERT_TRUE(uad_result_meta_get_region(uad_buffer_get_result_meta(twice.get()), 0, &region));
  EXPECT_EQ(region.x, 40);
  EXPECT_EQ(region.width, 120);
}

TEST_F(ResultMeta, PartOfABufferCarriesNone) {
  const auto part =
      BufferPtr::adopt(gst_buffer_copy_region(buffer_.get(), GST_BUFFER_COPY_ALL, 0, 10));
  EXPECT_EQ(uad_buffer_get_result_meta(part.get()), nullptr);
}

TEST_F(ResultMeta, NewestOfTwoIsFound) {
  uad_buffer_add_result_meta(buffer_.get(), nullptr, UAD_VERDICT_UNSCORED, GST_CLOCK_TIME_NONE,
                             "loading model");
  EXPECT_STREQ(uad_result_meta_get_note(uad_buffer_get_result_meta(buffer_.get())),
               "loading model");
}

TEST_F(ResultMeta, WithoutResultEveryGetterHasAnAnswer) {
  const auto empty = BufferPtr::adopt(gst_buffer_new());
  EXPECT_EQ(uad_buffer_get_result_meta(empty.get()), nullptr);
  const UadResultMeta* meta = uad_buffer_add_result_meta(empty.get(), nullptr, UAD_VERDICT_UNSCORED,
                                                         GST_CLOCK_TIME_NONE, "no result yet");
  gint width = 1;
  gint height = 1;
  UadThresholds thresholds{};
  UadTimings timings{};
  UadPlacement placement{};
  UadRegion region{};
  EXPECT_TRUE(std::isnan(uad_result_meta_get_score(meta)));
  EXPECT_TRUE(std::isnan(uad_result_meta_get_normalised_score(meta)));
  EXPECT_EQ(uad_result_meta_get_map(meta, &width, &height), nullptr);
  EXPECT_EQ(width + height, 0);
  EXPECT_FALSE(uad_result_meta_get_map_placement(meta, &placement));
  EXPECT_FALSE(uad_result_meta_get_thresholds(meta, &thresholds));
  EXPECT_FALSE(uad_result_meta_get_timings(meta, &timings));
  EXPECT_FALSE(uad_result_meta_get_region(meta, 0, &region));
  EXPECT_STREQ(uad_result_meta_get_model_name(meta), "");
  EXPECT_STREQ(uad_result_meta_get_model_sha256(meta), "");
  EXPECT_EQ(uad_result_meta_get_pts(meta), GST_CLOCK_TIME_NONE);
  EXPECT_EQ(uad_result_meta_get_utc(meta), 0);
}

TEST_F(ResultMeta, VerdictsHaveNamesForPeopleAndForGObject) {
  EXPECT_STREQ(uad_verdict_to_string(UAD_VERDICT_REJECT), "REJECT");
  EXPECT_STREQ(uad_verdict_to_string(UAD_VERDICT_UNSCORED), "UNSCORED");
  auto* klass = static_cast<GEnumClass*>(g_type_class_ref(UAD_TYPE_VERDICT));
  EXPECT_EQ(g_enum_get_value_by_nick(klass, "warn")->value, UAD_VERDICT_WARN);
  g_type_class_unref(klass);
}

TEST_F(ResultMeta, ReachesBothBranchesOfATee) {
  Harness h("uadinfer model=" + model() +
            " ! tee name=t ! queue ! fakesink async=false t. ! queue");
  const BufferPtr in = h.frame(200, 0);
  ASSERT_EQ(gst_harness_push(h.get(), BufferPtr(in).release()), GST_FLOW_OK);
  const auto out = BufferPtr::adopt(gst_harness_pull(h.get()));
  EXPECT_EQ(uad_result_meta_get_verdict(uad_buffer_get_result_meta(out.get())), UAD_VERDICT_REJECT);
}

}  // namespace
}  // namespace uad::testing

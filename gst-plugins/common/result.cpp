// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/result.h"

#include <vector>

#include <gst/video/gstvideometa.h>

#include "gst-plugins/meta/result.h"

namespace uad::gst {
namespace {

static_assert(static_cast<int>(Verdict::kUnscored) == UAD_VERDICT_UNSCORED);
static_assert(static_cast<int>(Verdict::kPass) == UAD_VERDICT_PASS);
static_assert(static_cast<int>(Verdict::kWarn) == UAD_VERDICT_WARN);
static_assert(static_cast<int>(Verdict::kReject) == UAD_VERDICT_REJECT);

UadVerdict to_c(Verdict verdict) { return static_cast<UadVerdict>(verdict); }

UadRegion to_c(const Region& region) {
  return {region.box.x,      region.box.y,      region.box.width, region.box.height, region.area,
          region.centroid_x, region.centroid_y, region.max_score, region.mean_score};
}

UadScoreScale to_c(const ScoreScale& scale) { return {scale.lo, scale.thr, scale.hi}; }

UadThresholds to_c(const Thresholds& t) { return {to_c(t.image), to_c(t.map), t.warn, t.min_area}; }

/// The map's memory, kept alive by a reference to its analysis; null if the map is empty.
GBytes* map_bytes(const AnalysisPtr& analysis) {
  const auto& values = analysis->map.values;
  if (values.empty()) return nullptr;
  return g_bytes_new_with_free_func(
      values.data(), values.size() * sizeof(float),
      [](gpointer owner) { delete static_cast<AnalysisPtr*>(owner); }, new AnalysisPtr(analysis));
}

UadResult* make_result(const AnalysisPtr& analysis) {
  std::vector<UadRegion> regions;
  for (const Region& region : analysis->regions) regions.push_back(to_c(region));
  UadResultFields fields{};
  fields.score = analysis->score;
  fields.normalised_score = analysis->normalised_score;
  fields.thresholds = to_c(analysis->thresholds);
  fields.regions = regions.data();
  fields.n_regions = static_cast<guint>(regions.size());
  fields.map = map_bytes(analysis);
  fields.map_width = analysis->map.width;
  fields.map_height = analysis->map.height;
  const RectF& at = analysis->placement;
  fields.placement = {at.x, at.y, at.width, at.height};
  fields.product = analysis->product.c_str();
  fields.model_name = analysis->model_name.c_str();
  fields.model_sha256 = analysis->model_sha256.c_str();
  fields.pts = analysis->capture.pts;
  fields.utc_us = analysis->capture.utc_us;
  const Coverage& coverage = analysis->coverage;
  fields.coverage = {static_cast<guint>(coverage.windows), static_cast<guint>(coverage.analysed),
                     coverage.oldest, coverage.within};
  const Timings& t = analysis->timings;
  fields.timings = {t.cut_ms, t.wait_ms, t.infer_ms, t.judge_ms, t.total_ms};
  UadResult* result = uad_result_new(&fields);
  if (fields.map != nullptr) g_bytes_unref(fields.map);
  return result;
}

void add_region_of_interest(GstBuffer* buffer, const Region& region) {
  auto* meta = gst_buffer_add_video_region_of_interest_meta(
      buffer, "anomaly", static_cast<guint>(region.box.x), static_cast<guint>(region.box.y),
      static_cast<guint>(region.box.width), static_cast<guint>(region.box.height));
  gst_video_region_of_interest_meta_add_param(
      meta, gst_structure_new("anomaly", "max-score", G_TYPE_DOUBLE,
                              static_cast<double>(region.max_score), "mean-score", G_TYPE_DOUBLE,
                              static_cast<double>(region.mean_score), nullptr));
}

/// Moves `structure` into the list.
void append(GValue* list, GstStructure* structure) {
  GValue item = G_VALUE_INIT;
  g_value_init(&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&item, structure);
  gst_value_list_append_and_take_value(list, &item);
}

GstStructure* region_structure(const Region& region) {
  return gst_structure_new(
      "region", "x", G_TYPE_INT, region.box.x, "y", G_TYPE_INT, region.box.y, "width", G_TYPE_INT,
      region.box.width, "height", G_TYPE_INT, region.box.height, "area", G_TYPE_DOUBLE, region.area,
      "centroid-x", G_TYPE_DOUBLE, region.centroid_x, "centroid-y", G_TYPE_DOUBLE,
      region.centroid_y, "max-score", G_TYPE_DOUBLE, static_cast<double>(region.max_score),
      "mean-score", G_TYPE_DOUBLE, static_cast<double>(region.mean_score), nullptr);
}

}  // namespace

MessagePtr element_message(GstElement* element, GstStructure* structure) {
  return MessagePtr::adopt(gst_message_new_element(GST_OBJECT(element), structure));
}

std::string iso_8601(std::int64_t utc_us) {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  GDateTime* seconds = g_date_time_new_from_unix_utc(utc_us / kMicroseconds);
  if (seconds == nullptr) return "";
  GDateTime* exact = g_date_time_add(seconds, utc_us % kMicroseconds);
  std::string text = take_string(g_date_time_format(exact, "%Y-%m-%dT%H:%M:%S.%fZ"));
  g_date_time_unref(exact);
  g_date_time_unref(seconds);
  return text;
}

void ResultAttacher::attach(GstBuffer* buffer, const Shown& shown) {
  if (shown.analysis != source_) {
    reset();
    source_ = shown.analysis;
    if (source_) result_ = make_result(source_);
  }
  uad_buffer_add_result_meta(buffer, result_, to_c(shown.verdict), shown.age_ns, shown.note);
  if (shown.verdict == Verdict::kUnscored) return;
  for (const Region& region : shown.analysis->regions) add_region_of_interest(buffer, region);
}

void ResultAttacher::reset() {
  if (result_ != nullptr) uad_result_unref(result_);
  result_ = nullptr;
  source_.reset();
}

MessagePtr result_message(GstElement* element, const Analysis& analysis, const std::string& tags) {
  const Coverage& coverage = analysis.coverage;
  GstStructure* structure = gst_structure_new(
      "uad-result", "frame", G_TYPE_UINT64, analysis.capture.frame, "pts", G_TYPE_UINT64,
      analysis.capture.pts, "utc", G_TYPE_STRING, iso_8601(analysis.capture.utc_us).c_str(),
      "score", G_TYPE_DOUBLE, analysis.score, "normalised-score", G_TYPE_DOUBLE,
      analysis.normalised_score, "latency-ms", G_TYPE_DOUBLE, analysis.timings.total_ms, "verdict",
      G_TYPE_STRING, std::string(to_string(analysis.verdict)).c_str(), "model", G_TYPE_STRING,
      analysis.model_name.c_str(), "product", G_TYPE_STRING, analysis.product.c_str(), "tags",
      G_TYPE_STRING, tags.c_str(), "windows", G_TYPE_UINT, static_cast<guint>(coverage.windows),
      "windows-analysed", G_TYPE_UINT, static_cast<guint>(coverage.analysed), "oldest-window",
      G_TYPE_UINT64, coverage.oldest, "covered-within", G_TYPE_UINT64, coverage.within, nullptr);
  GValue regions = G_VALUE_INIT;
  gst_value_list_init(&regions, static_cast<guint>(analysis.regions.size()));
  for (const Region& region : analysis.regions) append(&regions, region_structure(region));
  gst_structure_take_value(structure, "regions", &regions);
  return element_message(element, structure);
}

MessagePtr part_message(GstElement* element, const PartVerdict& part, const std::string& tags) {
  const Analysis* worst = part.worst.get();
  GstStructure* structure = gst_structure_new(
      "uad-verdict", "part", G_TYPE_UINT64, part.part, "id", G_TYPE_STRING, part.id.c_str(),
      "verdict", G_TYPE_STRING, std::string(to_string(part.verdict)).c_str(), "frames",
      G_TYPE_UINT64, part.frames, "analysed", G_TYPE_UINT64, part.analysed, "bad", G_TYPE_UINT64,
      part.bad, "first-pts", G_TYPE_UINT64, part.first_pts, "last-pts", G_TYPE_UINT64,
      part.last_pts, "model", G_TYPE_STRING, worst != nullptr ? worst->model_name.c_str() : "",
      "tags", G_TYPE_STRING, tags.c_str(), "why", G_TYPE_STRING, part.why.c_str(), nullptr);
  if (worst != nullptr) {
    gst_structure_set(structure, "worst-frame", G_TYPE_UINT64, worst->capture.frame, "worst-pts",
                      G_TYPE_UINT64, worst->capture.pts, "worst-utc", G_TYPE_STRING,
                      iso_8601(worst->capture.utc_us).c_str(), "worst-score", G_TYPE_DOUBLE,
                      worst->score, "worst-normalised-score", G_TYPE_DOUBLE,
                      worst->normalised_score, nullptr);
    if (const auto place = worst_place(*worst)) {
      gst_structure_set(structure, "worst-x", G_TYPE_INT, place->box.x, "worst-y", G_TYPE_INT,
                        place->box.y, "worst-width", G_TYPE_INT, place->box.width, "worst-height",
                        G_TYPE_INT, place->box.height, "worst-peak-x", G_TYPE_DOUBLE, place->peak_x,
                        "worst-peak-y", G_TYPE_DOUBLE, place->peak_y, nullptr);
    }
  }
  return element_message(element, structure);
}

MessagePtr health_message(GstElement* element, const HealthReport& report) {
  return element_message(
      element,
      gst_structure_new("uad-health", "healthy", G_TYPE_BOOLEAN, report.healthy, "frames",
                        G_TYPE_UINT64, report.frames, "unscored", G_TYPE_UINT64, report.unscored,
                        "skipped-share", G_TYPE_DOUBLE, report.skipped_share, "longest-gap-ms",
                        G_TYPE_DOUBLE, report.longest_gap_ms, nullptr));
}

MessagePtr progress_message(GstElement* element, double fraction, const std::string& stage) {
  return element_message(
      element, gst_structure_new("uad-progress", "stage", G_TYPE_STRING, stage.c_str(), "fraction",
                                 G_TYPE_DOUBLE, fraction, nullptr));
}

MessagePtr model_changed_message(GstElement* element, const std::string& path,
                                 const std::string& sha256, const std::string& why) {
  return element_message(
      element,
      gst_structure_new("uad-model-changed", "path", G_TYPE_STRING, path.c_str(), "sha256",
                        G_TYPE_STRING, sha256.c_str(), "why", G_TYPE_STRING, why.c_str(), nullptr));
}

MessagePtr shadow_message(GstElement* element, const Analysis& main, const Analysis& shadow) {
  return element_message(
      element, gst_structure_new("uad-shadow", "frame", G_TYPE_UINT64, main.capture.frame, "pts",
                                 G_TYPE_UINT64, main.capture.pts, "verdict", G_TYPE_STRING,
                                 std::string(to_string(main.verdict)).c_str(), "score",
                                 G_TYPE_DOUBLE, main.score, "shadow-verdict", G_TYPE_STRING,
                                 std::string(to_string(shadow.verdict)).c_str(), "shadow-score",
                                 G_TYPE_DOUBLE, shadow.score, nullptr));
}

}  // namespace uad::gst

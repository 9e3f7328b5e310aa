/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst-plugins/meta/gstuadresultmeta.h"

#include <gst/video/gstvideometa.h>
#include <math.h>

#include "gst-plugins/meta/result.h"

struct _UadResult {
  UadResultFields fields; /* owns all it points to */
};

static void clear_result(gpointer data) {
  UadResultFields* fields = &((UadResult*)data)->fields;
  g_free((gpointer)fields->regions);
  g_free((gpointer)fields->product);
  g_free((gpointer)fields->model_name);
  g_free((gpointer)fields->model_sha256);
  g_clear_pointer(&fields->map, g_bytes_unref);
}

UadResult* uad_result_new(const UadResultFields* fields) {
  UadResult* result = g_atomic_rc_box_new0(UadResult);
  result->fields = *fields;
  result->fields.regions = g_memdup2(fields->regions, fields->n_regions * sizeof(UadRegion));
  result->fields.product = g_strdup(fields->product ? fields->product : "");
  result->fields.model_name = g_strdup(fields->model_name ? fields->model_name : "");
  result->fields.model_sha256 = g_strdup(fields->model_sha256 ? fields->model_sha256 : "");
  if (fields->map) g_bytes_ref(fields->map);
  return result;
}

void uad_result_unref(UadResult* result) { g_atomic_rc_box_release_full(result, clear_result); }

UadResultMeta* uad_buffer_add_result_meta(GstBuffer* buffer, UadResult* result, UadVerdict verdict,
                                          GstClockTime age, const gchar* note) {
  UadResultMeta* meta = (UadResultMeta*)gst_buffer_add_meta(buffer, UAD_RESULT_META_INFO, NULL);
  meta->result = result ? g_atomic_rc_box_acquire(result) : NULL;
  meta->verdict = verdict;
  meta->age = age;
  meta->note = note;
  return meta;
}

static gboolean uad_result_meta_init(GstMeta* base, gpointer params, GstBuffer* buffer) {
  UadResultMeta* meta = (UadResultMeta*)base;
  (void)params;
  (void)buffer;
  meta->result = NULL;
  meta->verdict = UAD_VERDICT_UNSCORED;
  meta->age = GST_CLOCK_TIME_NONE;
  meta->note = "";
  meta->scale_x = meta->scale_y = 1;
  return TRUE;
}

static void uad_result_meta_free(GstMeta* base, GstBuffer* buffer) {
  UadResultMeta* meta = (UadResultMeta*)base;
  (void)buffer;
  g_clear_pointer(&meta->result, uad_result_unref);
}

static gboolean uad_result_meta_transform(GstBuffer* target, GstMeta* base, GstBuffer* source,
                                          GQuark type, gpointer data) {
  const UadResultMeta* from = (const UadResultMeta*)base;
  UadResultMeta* to;
  gdouble factor_x = 1, factor_y = 1;
  (void)source;

  if (GST_META_TRANSFORM_IS_COPY(type)) {
    if (((GstMetaTransformCopy*)data)->region)
      return FALSE; /* part of the bytes is no frame any more */
  } else if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) {
    const GstVideoMetaTransform* scale = data;
    factor_x =
        (gdouble)GST_VIDEO_INFO_WIDTH(scale->out_info) / GST_VIDEO_INFO_WIDTH(scale->in_info);
    factor_y =
        (gdouble)GST_VIDEO_INFO_HEIGHT(scale->out_info) / GST_VIDEO_INFO_HEIGHT(scale->in_info);
  } else {
    return FALSE;
  }
  to = uad_buffer_add_result_meta(target, from->result, from->verdict, from->age, from->note);
  to->scale_x = from->scale_x * factor_x;
  to->scale_y = from->scale_y * factor_y;
  return TRUE;
}

GType uad_result_meta_api_get_type(void) {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                  GST_META_TAG_VIDEO_SIZE_STR, NULL};
    g_once_init_leave(&type, gst_meta_api_type_register("UadResultMetaAPI", tags));
  }
  return type;
}

const GstMetaInfo* uad_result_meta_get_info(void) {
  static const GstMetaInfo* info = NULL;
  if (g_once_init_enter((GstMetaInfo**)&info)) {
    const GstMetaInfo* registered =
        gst_meta_register(UAD_RESULT_META_API_TYPE, "UadResultMeta", sizeof(UadResultMeta),
                          uad_result_meta_init, uad_result_meta_free, uad_result_meta_transform);
    g_once_init_leave((GstMetaInfo**)&info, (GstMetaInfo*)registered);
  }
  return info;
}

GType uad_verdict_get_type(void) {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    static const GEnumValue values[] = {
        {UAD_VERDICT_UNSCORED, "No valid result", "unscored"},
        {UAD_VERDICT_PASS, "Below the warn threshold", "pass"},
        {UAD_VERDICT_WARN, "From the warn threshold", "warn"},
        {UAD_VERDICT_REJECT, "From the reject threshold", "reject"},
        {0, NULL, NULL},
    };
    g_once_init_leave(&type, g_enum_register_static("UadVerdict", values));
  }
  return type;
}

const gchar* uad_verdict_to_string(UadVerdict verdict) {
  switch (verdict) {
    case UAD_VERDICT_PASS:
      return "PASS";
    case UAD_VERDICT_WARN:
      return "WARN";
    case UAD_VERDICT_REJECT:
      return "REJECT";
    default:
      return "UNSCORED";
  }
}

const UadResultMeta* uad_buffer_get_result_meta(GstBuffer* buffer) {
  const UadResultMeta* newest = NULL;
  gpointer state = NULL;
  GstMeta* meta;
  while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state, UAD_RESULT_META_API_TYPE))) {
    if (!newest || gst_meta_compare_seqnum(meta, &newest->meta) > 0)
      newest = (const UadResultMeta*)meta;
  }
  return newest;
}

UadVerdict uad_result_meta_get_verdict(const UadResultMeta* meta) { return meta->verdict; }

const gchar* uad_result_meta_get_note(const UadResultMeta* meta) { return meta->note; }

gdouble uad_result_meta_get_score(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.score : NAN;
}

gdouble uad_result_meta_get_normalised_score(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.normalised_score : NAN;
}

gboolean uad_result_meta_get_thresholds(const UadResultMeta* meta, UadThresholds* thresholds) {
  if (!meta->result) return FALSE;
  *thresholds = meta->result->fields.thresholds;
  return TRUE;
}

guint uad_result_meta_get_n_regions(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.n_regions : 0;
}

gboolean uad_result_meta_get_region(const UadResultMeta* meta, guint index, UadRegion* region) {
  const UadRegion* found;
  if (index >= uad_result_meta_get_n_regions(meta)) return FALSE;
  found = &meta->result->fields.regions[index];
  *region = *found;
  region->x = (gint)floor(found->x * meta->scale_x);
  region->y = (gint)floor(found->y * meta->scale_y);
  region->width = (gint)ceil((found->x + found->width) * meta->scale_x) - region->x;
  region->height = (gint)ceil((found->y + found->height) * meta->scale_y) - region->y;
  region->area *= meta->scale_x * meta->scale_y;
  region->centroid_x *= meta->scale_x;
  region->centroid_y *= meta->scale_y;
  return TRUE;
}

const gfloat* uad_result_meta_get_map(const UadResultMeta* meta, gint* width, gint* height) {
  const gboolean found = meta->result && meta->result->fields.map;
  *width = found ? meta->result->fields.map_width : 0;
  *height = found ? meta->result->fields.map_height : 0;
  return found ? g_bytes_get_data(meta->result->fields.map, NULL) : NULL;
}

gboolean uad_result_meta_get_map_placement(const UadResultMeta* meta, UadPlacement* placement) {
  if (!meta->result || !meta->result->fields.map) return FALSE;
  *placement = meta->result->fields.placement;
  placement->x *= meta->scale_x;
  placement->width *= meta->scale_x;
  placement->y *= meta->scale_y;
  placement->height *= meta->scale_y;
  return TRUE;
}

const gchar* uad_result_meta_get_product(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.product : "";
}

const gchar* uad_result_meta_get_model_name(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.model_name : "";
}

const gchar* uad_result_meta_get_model_sha256(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.model_sha256 : "";
}

GstClockTime uad_result_meta_get_pts(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.pts : GST_CLOCK_TIME_NONE;
}

gint64 uad_result_meta_get_utc(const UadResultMeta* meta) {
  return meta->result ? meta->result->fields.utc_us : 0;
}

GstClockTime uad_result_meta_get_age(const UadResultMeta* meta) { return meta->age; }

gboolean uad_result_meta_get_coverage(const UadResultMeta* meta, UadCoverage* coverage) {
  if (!meta->result) return FALSE;
  *coverage = meta->result->fields.coverage;
  return TRUE;
}

gboolean uad_result_meta_get_timings(const UadResultMeta* meta, UadTimings* timings) {
  if (!meta->result) return FALSE;
  *timings = meta->result->fields.timings;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making results: for the elements of this project, not installed. */
#pragma once

#include "gst-plugins/meta/gstuadresultmeta.h"

G_BEGIN_DECLS

/* Copied by uad_result_new, except the map, which is referenced. */
typedef struct {
  gdouble score;
  gdouble normalised_score;
  UadThresholds thresholds;
  const UadRegion* regions;
  guint n_regions;
  GBytes* map; /* float, map_height rows of map_width */
  gint map_width;
  gint map_height;
  UadPlacement placement;
  const gchar* product;
  const gchar* model_name;
  const gchar* model_sha256;
  GstClockTime pts;
  gint64 utc_us;
  UadCoverage coverage;
  UadTimings timings;
} UadResultFields;

UadResult* uad_result_new(const UadResultFields* fields);
void uad_result_unref(UadResult* result);

/* Adds a reference to result; NULL = nothing is known. note must be a static or interned string. */
UadResultMeta* uad_buffer_add_result_meta(GstBuffer* buffer, UadResult* result, UadVerdict verdict,
                                          GstClockTime age, const gchar* note);

G_END_DECLS

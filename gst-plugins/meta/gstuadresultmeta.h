/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstuadresultmeta
 * @title: UadResultMeta
 * @short_description: what uadinfer found out about a video frame
 *
 * uadinfer attaches one #UadResultMeta to every buffer. The result itself is immutable and shared:
 * copies of a buffer (tee, queue) and later frames that carry the same result point to the same
 * memory. Everything a getter returns stays valid as long as the buffer does.
 *
 * The meta passes videoconvert as it is and videoscale scaled: regions and map placement are always
 * in pixels of the buffer it is found on. It does not pass videocrop and videobox and does not
 * follow videoflip.
 *
 * |[<!-- language="C" -->
 * const UadResultMeta *meta = uad_buffer_get_result_meta (buffer);
 * if (meta && uad_result_meta_get_verdict (meta) == UAD_VERDICT_REJECT)
 *   eject_part ();
 * ]|
 *
 * Getters are thread-safe on a buffer that nobody writes to.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * UadVerdict:
 * @UAD_VERDICT_UNSCORED: no model answered, or the answer is too old; never a pass
 * @UAD_VERDICT_PASS: score below the warn threshold
 * @UAD_VERDICT_WARN: score at or above warn, below reject
 * @UAD_VERDICT_REJECT: score at or above the reject threshold
 */
typedef enum {
  UAD_VERDICT_UNSCORED,
  UAD_VERDICT_PASS,
  UAD_VERDICT_WARN,
  UAD_VERDICT_REJECT
} UadVerdict;

/**
 * UadScoreScale:
 * @lo: raw value that is shown as 0
 * @thr: raw value that is shown as 0.5, the decision level
 * @hi: raw value that is shown as 1
 */
typedef struct {
  gdouble lo;
  gdouble thr;
  gdouble hi;
} UadScoreScale;

/**
 * UadThresholds:
 * @image: scale of the image score; `image.thr` is the reject threshold
 * @map: scale of the map; `map.thr` is where regions begin
 * @warn: raw image score from which the verdict is WARN
 * @min_area: smallest region, in pixels of the analysed frame
 *
 * The thresholds that were used, model and properties combined.
 */
typedef struct {
  UadScoreScale image;
  UadScoreScale map;
  gdouble warn;
  gdouble min_area;
} UadThresholds;

/**
 * UadRegion:
 * @x: left edge, pixels
 * @y: top edge, pixels
 * @width: pixels
 * @height: pixels
 * @area: square pixels
 * @centroid_x: pixels
 * @centroid_y: pixels
 * @max_score: highest map value inside, raw units
 * @mean_score: mean map value inside, raw units
 *
 * A connected part of the map at or above the map's threshold.
 */
typedef struct {
  gint x;
  gint y;
  gint width;
  gint height;
  gdouble area;
  gdouble centroid_x;
  gdouble centroid_y;
  gfloat max_score;
  gfloat mean_score;
} UadRegion;

/**
 * UadPlacement:
 * @x: left edge, pixels
 * @y: top edge, pixels
 * @width: pixels
 * @height: pixels
 *
 * Where the map lies in the frame.
 */
typedef struct {
  gdouble x;
  gdouble y;
  gdouble width;
  gdouble height;
} UadPlacement;

/**
 * UadTimings:
 * @cut_ms: ROI, resize, windows, normalisation; 0 if uadpreproc did it upstream
 * @wait_ms: from the frame's arrival at uadinfer to the start of the network
 * @infer_ms: network, neighbours and map
 * @judge_ms: thresholds and regions
 * @total_ms: from the frame's arrival at uadinfer to the finished result
 */
typedef struct {
  gdouble cut_ms;
  gdouble wait_ms;
  gdouble infer_ms;
  gdouble judge_ms;
  gdouble total_ms;
} UadTimings;

/**
 * UadCoverage:
 * @windows: windows of the frame
 * @analysed: of these, looked at in this frame; the others keep what they said last
 * @oldest: frames since the oldest of the kept results; 0: all are of this frame
 * @within: every window is looked at once in so many frames, or more often
 *
 * How much of the frame the result is news of. Less than all only with a deadline (see uadinfer).
 * Frames that are not analysed do not count.
 */
typedef struct {
  guint windows;
  guint analysed;
  guint64 oldest;
  guint64 within;
} UadCoverage;

typedef struct _UadResult UadResult;

/**
 * UadResultMeta:
 * @meta: parent
 *
 * Read it with the functions below.
 */
typedef struct {
  GstMeta meta;

  /*< private >*/
  UadResult* result;
  UadVerdict verdict;
  GstClockTime age;
  const gchar* note;
  gdouble scale_x;
  gdouble scale_y;
} UadResultMeta;

#define UAD_RESULT_META_API_TYPE (uad_result_meta_api_get_type())
#define UAD_RESULT_META_INFO (uad_result_meta_get_info())
#define UAD_TYPE_VERDICT (uad_verdict_get_type())

GType uad_result_meta_api_get_type(void);
const GstMetaInfo* uad_result_meta_get_info(void);
GType uad_verdict_get_type(void);

/**
 * uad_verdict_to_string:
 * @verdict: a #UadVerdict
 *
 * Returns: (transfer none): "UNSCORED", "PASS", "WARN" or "REJECT"
 */
const gchar* uad_verdict_to_string(UadVerdict verdict);

/**
 * uad_buffer_get_result_meta:
 * @buffer: a #GstBuffer
 *
 * Returns: (transfer none) (nullable): the newest result attached to @buffer, or %NULL
 */
const UadResultMeta* uad_buffer_get_result_meta(GstBuffer* buffer);

/**
 * uad_result_meta_get_verdict:
 * @meta: a #UadResultMeta
 *
 * Returns: the verdict for this buffer; %UAD_VERDICT_UNSCORED when the result is too old for it
 */
UadVerdict uad_result_meta_get_verdict(const UadResultMeta* meta);

/**
 * uad_result_meta_get_note:
 * @meta: a #UadResultMeta
 *
 * Returns: (transfer none): why the verdict is UNSCORED, for people ("loading model"); otherwise ""
 */
const gchar* uad_result_meta_get_note(const UadResultMeta* meta);

/**
 * uad_result_meta_get_score:
 * @meta: a #UadResultMeta
 *
 * Returns: the image score in the method's own unit, unbounded, higher is more anomalous; NaN if
 * there is no result
 */
gdouble uad_result_meta_get_score(const UadResultMeta* meta);

/**
 * uad_result_meta_get_normalised_score:
 * @meta: a #UadResultMeta
 *
 * Returns: the image score on the model's fixed scale, 0 to 1, where 0.5 is the reject threshold;
 * NaN if there is no result
 */
gdouble uad_result_meta_get_normalised_score(const UadResultMeta* meta);

/**
 * uad_result_meta_get_thresholds:
 * @meta: a #UadResultMeta
 * @thresholds: (out caller-allocates): the thresholds used
 *
 * Returns: %FALSE, leaving @thresholds alone, if there is no result
 */
gboolean uad_result_meta_get_thresholds(const UadResultMeta* meta, UadThresholds* thresholds);

/**
 * uad_result_meta_get_n_regions:
 * @meta: a #UadResultMeta
 *
 * Returns: number of regions
 */
guint uad_result_meta_get_n_regions(const UadResultMeta* meta);

/**
 * uad_result_meta_get_region:
 * @meta: a #UadResultMeta
 * @index: 0 is the region with the highest score
 * @region: (out caller-allocates): the region in pixels of this buffer
 *
 * Returns: %FALSE, leaving @region alone, if @index is not below the number of regions
 */
gboolean uad_result_meta_get_region(const UadResultMeta* meta, guint index, UadRegion* region);

/**
 * uad_result_meta_get_map:
 * @meta: a #UadResultMeta
 * @width: (out): columns of the map
 * @height: (out): rows of the map
 *
 * Returns: (transfer none) (nullable): packed rows of raw scores, @height times @width; %NULL if
 * there is no result
 */
const gfloat* uad_result_meta_get_map(const UadResultMeta* meta, gint* width, gint* height);

/**
 * uad_result_meta_get_map_placement:
 * @meta: a #UadResultMeta
 * @placement: (out caller-allocates): where the map lies, in pixels of this buffer
 *
 * Returns: %FALSE, leaving @placement alone, if there is no map
 */
gboolean uad_result_meta_get_map_placement(const UadResultMeta* meta, UadPlacement* placement);

/**
 * uad_result_meta_get_product:
 * @meta: a result
 *
 * Returns: (transfer none): the product that a model of several recognised or was told; "" where
 *   the model knows no products, and without result
 */
const gchar* uad_result_meta_get_product(const UadResultMeta* meta);

/**
 * uad_result_meta_get_model_name:
 * @meta: a #UadResultMeta
 *
 * Returns: (transfer none): name of the model file without folder and extension; "" without result
 */
const gchar* uad_result_meta_get_model_name(const UadResultMeta* meta);

/**
 * uad_result_meta_get_model_sha256:
 * @meta: a #UadResultMeta
 *
 * Returns: (transfer none): SHA-256 of the model file, hexadecimal; "" without result
 */
const gchar* uad_result_meta_get_model_sha256(const UadResultMeta* meta);

/**
 * uad_result_meta_get_pts:
 * @meta: a #UadResultMeta
 *
 * Returns: presentation time of the frame that was analysed (an earlier one where the age is not
 * 0), or %GST_CLOCK_TIME_NONE
 */
GstClockTime uad_result_meta_get_pts(const UadResultMeta* meta);

/**
 * uad_result_meta_get_utc:
 * @meta: a #UadResultMeta
 *
 * Returns: when the analysed frame was captured, in microseconds since 1970 UTC: from the camera's
 * reference timestamp where there is one, else the time it reached uadinfer; 0 without result
 */
gint64 uad_result_meta_get_utc(const UadResultMeta* meta);

/**
 * uad_result_meta_get_age:
 * @meta: a #UadResultMeta
 *
 * Returns: time from the analysed frame to this one; 0 if it is this one's own result,
 * %GST_CLOCK_TIME_NONE without result
 */
GstClockTime uad_result_meta_get_age(const UadResultMeta* meta);

/**
 * uad_result_meta_get_coverage:
 * @meta: a #UadResultMeta
 * @coverage: (out caller-allocates): how much of the analysed frame was looked at
 *
 * Returns: %FALSE, leaving @coverage alone, if there is no result
 */
gboolean uad_result_meta_get_coverage(const UadResultMeta* meta, UadCoverage* coverage);

/**
 * uad_result_meta_get_timings:
 * @meta: a #UadResultMeta
 * @timings: (out caller-allocates): how long the stages took
 *
 * Returns: %FALSE, leaving @timings alone, if there is no result
 */
gboolean uad_result_meta_get_timings(const UadResultMeta* meta, UadTimings* timings);

G_END_DECLS

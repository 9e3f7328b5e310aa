// SPDX-License-Identifier: LGPL-2.1-or-later
// uadoverlay: paints what the result meta says onto the frame.
/**
 * SECTION:element-uadoverlay
 * @title: uadoverlay
 *
 * Paints the result that uadinfer attached: tint above the warn level on the model's fixed scale,
 * contour at the threshold, a box per region, a banner with verdict and score, a legend. Paints
 * straight into the frame, whatever raw format it has, without converting it. A frame without a
 * result passes untouched; an UNSCORED one gets a grey banner that says why.
 *
 * Input is raw video as listed in the pad template, any size. videoscale and videoconvert may stand
 * between uadinfer and this element. It needs no model and no LibTorch.
 *
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! uadinfer model=model.uad ! \
 *   uadoverlay alpha=0.4 legend=false ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "gst-plugins/uadoverlay.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/overlay/overlay_painter.h"
#include "gst-plugins/common/enums.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/mapped_frame.h"
#include "gst-plugins/common/properties.h"
#include "gst-plugins/common/stream.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

GST_DEBUG_CATEGORY_STATIC(uad_overlay_debug);
#define GST_CAT_DEFAULT uad_overlay_debug

using namespace uad::gst;

namespace {

struct OverlaySettings : uad::OverlayOptions {
  int white_level = uad::kFullWhite;
};

const Properties<OverlaySettings>& properties() {
  using S = OverlaySettings;
  static const Properties<S> table = [] {
    Properties<S> t;
    t.flag({"heatmap", "Paint the tint", "", "Tint where the map exceeds the warn level"},
           &S::heatmap, Writable::kPlaying);
    t.real({"alpha", "Opacity of the tint", "0 to 1", "0: invisible, 1: hides the video"},
           &S::alpha, 0, 1, Writable::kPlaying);
    t.choice<uad::Colormap>({"colormap", "Colours of the tint", "choice",
                             "From the warn level to the upper end of the model's map scale"},
                            &S::colormap, colormap_type(), Writable::kPlaying);
    t.flag({"contour", "Paint the contour", "", "Line where the map crosses its threshold"},
           &S::contour, Writable::kPlaying);
    t.flag({"boxes", "Paint the boxes", "", "One box around each region"}, &S::boxes,
           Writable::kPlaying);
    t.flag(
        {"banner", "Paint the banner", "", "Verdict, score and limit, or why there is no verdict"},
        &S::banner, Writable::kPlaying);
    t.flag({"legend", "Paint the legend", "", "Colour bar with the numbers of the map's scale"},
           &S::legend, Writable::kPlaying);
    add_white_level(t, &S::white_level);
    return t;
  }();
  return table;
}

struct State {
  std::mutex lock;  // guards `options`
  OverlaySettings options;

  // streaming thread only
  GstVideoInfo info{};
  std::unique_ptr<uad::OverlayPainter> painter;
};

/// A result meta as the painter wants it. Keeps what the input points to.
struct Painting {
  explicit Painting(const UadResultMeta* meta);
  uad::ScoreMap map;
  std::vector<uad::Region> regions;
  uad::OverlayInput input;
};

uad::ScoreScale from_c(const UadScoreScale& scale) { return {scale.lo, scale.thr, scale.hi}; }

Painting::Painting(const UadResultMeta* meta) {
  input.verdict = static_cast<uad::Verdict>(uad_result_meta_get_verdict(meta));
  input.notice = uad_result_meta_get_note(meta);
  const GstClockTime age = uad_result_meta_get_age(meta);
  if (GST_CLOCK_TIME_IS_VALID(age)) input.age_ms = static_cast<double>(age) / GST_MSECOND;
  if (input.verdict == uad::Verdict::kUnscored) return;  // an old map must not read as a result
  input.score = uad_result_meta_get_score(meta);
  input.normalised_score = uad_result_meta_get_normalised_score(meta);
  UadThresholds used{};
  uad_result_meta_get_thresholds(meta, &used);
  input.thresholds = {from_c(used.image), from_c(used.map), used.warn, used.min_area};
  UadRegion r{};
  for (guint i = 0; uad_result_meta_get_region(meta, i, &r); ++i) {
    regions.push_back({{r.x, r.y, r.width, r.height},
                       r.area,
                       r.centroid_x,
                       r.centroid_y,
                       r.max_score,
                       r.mean_score});
  }
  input.regions = regions;
  UadPlacement at{};
  if (!uad_result_meta_get_map_placement(meta, &at)) return;
  const gfloat* values = uad_result_meta_get_map(meta, &map.width, &map.height);
  map.values.assign(values, values + static_cast<std::size_t>(map.width) * map.height);
  input.map = &map;
  input.placement = {at.x, at.y, at.width, at.height};
}

}  // namespace

struct _UadOverlay {
  GstBaseTransform parent;
  State* state;
};
G_DEFINE_TYPE(UadOverlay, uad_overlay, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));

static void uad_overlay_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  State* state = UAD_OVERLAY(object)->state;
  const std::lock_guard guard(state->lock);
  properties().get(state->options, id, value);
}

static void uad_overlay_set_property(GObject* object, guint id, const GValue* value,
                                     GParamSpec* spec) {
  State* state = UAD_OVERLAY(object)->state;
  properties().set(object, spec, id, value, state->lock, state->options);
}

static gboolean uad_overlay_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  return guarded<gboolean>(GST_ELEMENT(base), FALSE, [&] {
    UAD_OVERLAY(base)->state->info = video_info(in);
    return TRUE;
  });
}

/// Without a result the very same buffer goes on, even one that nobody may write to.
static GstFlowReturn uad_overlay_prepare_output_buffer(GstBaseTransform* base, GstBuffer* in,
                                                       GstBuffer** out) {
  if (uad_buffer_get_result_meta(in) == nullptr) {
    *out = in;
    return GST_FLOW_OK;
  }
  return GST_BASE_TRANSFORM_CLASS(uad_overlay_parent_class)->prepare_output_buffer(base, in, out);
}

static GstFlowReturn uad_overlay_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  State* state = UAD_OVERLAY(base)->state;
  const UadResultMeta* meta = uad_buffer_get_result_meta(buffer);
  if (meta == nullptr) return GST_FLOW_OK;
  return guarded(GST_ELEMENT(base), GST_FLOW_ERROR, [&] {
    OverlaySettings options;
    {
      const std::lock_guard guard(state->lock);
      options = state->options;
    }
    if (!state->painter || options != state->painter->options()) {
      state->painter = std::make_unique<uad::OverlayPainter>(options);
    }
    const Painting painting(meta);
    MappedFrame frame(state->info, buffer, GST_MAP_READWRITE, options.white_level);
    state->painter->paint(frame.writable(), painting.input);
    return GST_FLOW_OK;
  });
}

static void uad_overlay_finalize(GObject* object) {
  delete UAD_OVERLAY(object)->state;
  G_OBJECT_CLASS(uad_overlay_parent_class)->finalize(object);
}

static void uad_overlay_init(UadOverlay* self) {
  self->state = new State;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void uad_overlay_class_init(UadOverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(uad_overlay_debug, "uadoverlay", 0, "paints results");
  auto* object = G_OBJECT_CLASS(klass);
  object->get_property = uad_overlay_get_property;
  object->set_property = uad_overlay_set_property;
  object->finalize = uad_overlay_finalize;
  properties().install(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Anomaly overlay", "Filter/Editor/Video",
                                        "Paints heatmap, boxes and verdict of uadinfer", "gst-uad");
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->set_caps = uad_overlay_set_caps;
  transform->prepare_output_buffer = uad_overlay_prepare_output_buffer;
  transform->transform_ip = uad_overlay_transform_ip;
  transform->propose_allocation = forward_allocation;
}

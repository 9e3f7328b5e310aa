// SPDX-License-Identifier: LGPL-2.1-or-later
// uadpreproc: cuts the network inputs of each frame and attaches them to it.
/**
 * SECTION:element-uadpreproc
 * @title: uadpreproc
 *
 * Cuts the region of interest of each frame, resizes it as the model wants it, divides it into
 * windows, normalises them and attaches the tiles to the buffer. The video itself passes untouched.
 * Without this element uadinfer does the same work by itself; use it to look at another region, to
 * ignore parts of the frame, or to have the cutting in a thread of its own (with a queue behind).
 *
 * Sits directly before uadinfer: elements that change pixels in between drop the tiles. Input is
 * raw video as listed in the pad template, any size; GRAY8 is used as grey, YUV by its colorimetry.
 * Frames that uadinfer says it will not analyse are not cut. When uadinfer reloads its model or
 * changes to another, this element follows: roi, mask and what else is set here stay.
 *
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! uadpreproc model=model.uad roi=40,20,200,200 ! \
 *   uadinfer model=model.uad ! uadoverlay ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "gst-plugins/uadpreproc.h"

#include <mutex>
#include <optional>
#include <string>

#include "core/base/engine/load_slot.h"
#include "core/base/files/manifest.h"
#include "core/base/files/model_mask.h"
#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/demand.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/mapped_frame.h"
#include "gst-plugins/common/properties.h"
#include "gst-plugins/common/stream.h"
#include "gst-plugins/common/tiles_meta.h"

GST_DEBUG_CATEGORY_STATIC(uad_preproc_debug);
#define GST_CAT_DEFAULT uad_preproc_debug

using namespace uad::gst;

namespace {

struct PreprocSettings {
  std::string model;
  std::string roi;
  std::string mask;
  std::string window;
  std::string stride;
  std::string resize;
  int white_level = uad::kFullWhite;
};

const Properties<PreprocSettings>& properties() {
  using S = PreprocSettings;
  static const Properties<S> table = [] {
    Properties<S> t;
    t.text({"model", "Model file", "path",
            "Model file (.uad) that says how frames are prepared; the same as uadinfer's"},
           &S::model, Writable::kReady);
    t.text({"roi", "Region of interest", "x,y,width,height in pixels",
            "Part of the frame that is looked at; empty: the model's, and the whole frame if it "
            "has none. Clipped to the frame"},
           &S::roi, Writable::kReady);
    t.text({"mask", "Ignore mask", "path",
            "PNG or JPEG file, stretched over the region of interest; black is ignored: it is 0 in "
            "the map and no part of the score. Empty: the model's own mask, if it has one"},
           &S::mask, Writable::kReady);
    t.text({"window", "Sliding window", "N or WxH, resized pixels",
            "Size of the windows; empty: the model's, and another one is refused"},
           &S::window, Writable::kReady);
    t.text({"stride", "Window step", "N or WxH, resized pixels",
            "Distance between windows, at most a window; empty: the model's"},
           &S::stride, Writable::kReady);
    t.text({"resize", "Size after resizing", "WxH in pixels",
            "Size of the region of interest before windows are cut; a zero side follows from the "
            "aspect ratio; empty: the model's"},
           &S::resize, Writable::kReady);
    add_white_level(t, &S::white_level);
    return t;
  }();
  return table;
}

using CutterPtr = std::shared_ptr<const uad::Preprocessor>;  ///< shared with the frame being cut

/// Runs on the loader thread. @param followed  what uadinfer swapped to; null = see the model file.
CutterPtr build(const PreprocSettings& settings, const CutterPtr& followed) {
  uad::Backend& engine = backend();
  const uad::InputSpec model =
      followed ? followed->options().spec : uad::read_manifest(settings.model).input;
  uad::PreprocessOptions options{model, {}};
  uad::InputSpec& spec = options.spec;
  if (!settings.roi.empty()) spec.roi = uad::parse_rect(settings.roi, "roi");
  if (!settings.window.empty()) spec.window = uad::parse_size(settings.window, "window");
  if (!settings.stride.empty()) spec.stride = uad::parse_size(settings.stride, "stride");
  if (!settings.resize.empty()) spec.resize = uad::parse_size(settings.resize, "resize");
  options.mask = !settings.mask.empty() ? engine.read_mask(settings.mask)
                 : followed             ? followed->options().mask
                                        : uad::read_model_mask(settings.model);
  uad::require_same_preparation(model, spec);
  return engine.make_preprocessor(options);
}

struct State {
  explicit State(GstElement* element)
      : cutter({nullptr, [element](const std::exception_ptr& reason, bool old_in_service) {
                  if (!old_in_service) return post_error(element, reason);
                  post_warning(element, reason, "uadpreproc keeps cutting for the old model: ");
                }}) {}

  std::mutex lock;  // guards `settings` and `demands`
  PreprocSettings settings;
  Demands demands;
  uad::LoadSlot<uad::Preprocessor> cutter;

  // streaming thread only
  GstVideoInfo info{};
  std::uint64_t frames = 0;
  bool live = false;
};

}  // namespace

struct _UadPreproc {
  GstBaseTransform parent;
  State* state;
};
G_DEFINE_TYPE(UadPreproc, uad_preproc, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));

static void uad_preproc_load(UadPreproc* self, const CutterPtr& followed = nullptr) {
  const std::lock_guard guard(self->state->lock);
  if (self->state->settings.model.empty()) return;
  self->state->cutter.load([settings = self->state->settings, followed](const std::stop_token&) {
    return build(settings, followed);
  });
}

static void uad_preproc_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  State* state = UAD_PREPROC(object)->state;
  const std::lock_guard guard(state->lock);
  properties().get(state->settings, id, value);
}

static void uad_preproc_set_property(GObject* object, guint id, const GValue* value,
                                     GParamSpec* spec) {
  State* state = UAD_PREPROC(object)->state;
  if (!properties().set(object, spec, id, value, state->lock, state->settings)) return;
  if (GST_STATE(object) == GST_STATE_READY) uad_preproc_load(UAD_PREPROC(object));
}

static gboolean uad_preproc_start(GstBaseTransform* base) {
  State* state = UAD_PREPROC(base)->state;
  const std::lock_guard guard(state->lock);
  if (state->settings.model.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND,
                      ("uadpreproc has no model; set model=FILE.uad, the same as uadinfer's."),
                      (nullptr));
    return FALSE;
  }
  state->cutter.resume();
  return TRUE;
}

static gboolean uad_preproc_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  State* state = UAD_PREPROC(base)->state;
  return guarded<gboolean>(GST_ELEMENT(base), FALSE, [&] {
    state->info = video_info(in);
    return TRUE;
  });
}

static GstFlowReturn uad_preproc_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  State* state = UAD_PREPROC(base)->state;
  return guarded(GST_ELEMENT(base), GST_FLOW_ERROR, [&] {
    bool wanted = false;
    bool must_wait = false;
    int white = 0;
    {
      const std::lock_guard guard(state->lock);
      wanted = state->demands.wants(state->frames++);
      must_wait = state->demands.empty() ? !state->live : state->demands.every();
      white = state->settings.white_level;
    }
    const auto cutter = must_wait ? state->cutter.wait() : state->cutter.get();
    if (!cutter && state->cutter.gave_up()) return GST_FLOW_ERROR;  // the loader has said why
    if (!cutter && must_wait) return GST_FLOW_FLUSHING;
    uad::TileBatchPtr tiles;
    if (cutter && wanted) {
      tiles = cutter->cut(MappedFrame(state->info, buffer, GST_MAP_READ, white).view());
    }
    GST_LOG_OBJECT(base, "%" GST_PTR_FORMAT " %s", buffer, tiles ? "cut" : "left out");
    add_tiles_meta(buffer, std::move(tiles));
    return GST_FLOW_OK;
  });
}

static gboolean uad_preproc_sink_event(GstBaseTransform* base, GstEvent* event) {
  State* state = UAD_PREPROC(base)->state;
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type == GST_EVENT_FLUSH_START) state->cutter.interrupt();
  if (type == GST_EVENT_FLUSH_STOP) state->cutter.resume();
  const gboolean passed =
      GST_BASE_TRANSFORM_CLASS(uad_preproc_parent_class)->sink_event(base, event);
  if (type == GST_EVENT_SEGMENT) {
    state->live = upstream_is_live(base);
    gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(base), announcement_event().release());
  }
  return passed;
}

static gboolean uad_preproc_src_event(GstBaseTransform* base, GstEvent* event) {
  State* state = UAD_PREPROC(base)->state;
  std::optional<Demand> demand;
  {
    const std::lock_guard guard(state->lock);
    demand = state->demands.read(event);
    if (demand && !demand->model.empty()) state->settings.model = demand->model;
  }
  if (demand) {
    if (!demand->model.empty()) {
      uad_preproc_load(UAD_PREPROC(base), demand->cutter);
      g_object_notify(G_OBJECT(base), "model");
    }
    gst_event_unref(event);
    return TRUE;
  }
  return GST_BASE_TRANSFORM_CLASS(uad_preproc_parent_class)->src_event(base, event);
}

static gboolean uad_preproc_stop(GstBaseTransform* base) {
  State* state = UAD_PREPROC(base)->state;
  const std::lock_guard guard(state->lock);
  state->demands.clear();
  state->frames = 0;
  return TRUE;
}

static GstStateChangeReturn uad_preproc_change_state(GstElement* element,
                                                     GstStateChange transition) {
  UadPreproc* self = UAD_PREPROC(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) uad_preproc_load(self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) self->state->cutter.interrupt();
  const auto result =
      GST_ELEMENT_CLASS(uad_preproc_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) self->state->cutter.stop();
  return result;
}

static void uad_preproc_finalize(GObject* object) {
  delete UAD_PREPROC(object)->state;
  G_OBJECT_CLASS(uad_preproc_parent_class)->finalize(object);
}

static void uad_preproc_init(UadPreproc* self) {
  self->state = new State(GST_ELEMENT(self));
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void uad_preproc_class_init(UadPreprocClass* klass) {
  GST_DEBUG_CATEGORY_INIT(uad_preproc_debug, "uadpreproc", 0, "cuts tiles for uadinfer");
  auto* object = G_OBJECT_CLASS(klass);
  object->get_property = uad_preproc_get_property;
  object->set_property = uad_preproc_set_property;
  object->finalize = uad_preproc_finalize;
  properties().install(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = uad_preproc_change_state;
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Anomaly preprocessor", "Filter/Analyzer/Video",
                                        "Cuts, resizes and normalises what uadinfer looks at",
                                        "gst-uad");
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->start = uad_preproc_start;
  transform->stop = uad_preproc_stop;
  transform->set_caps = uad_preproc_set_caps;
  transform->transform_ip = uad_preproc_transform_ip;
  transform->sink_event = uad_preproc_sink_event;
  transform->src_event = uad_preproc_src_event;
  transform->propose_allocation = forward_allocation;
}

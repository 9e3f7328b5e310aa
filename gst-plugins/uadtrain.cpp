// SPDX-License-Identifier: LGPL-2.1-or-later
// uadtrain: collects good frames from the stream and learns a model from them.
/**
 * SECTION:element-uadtrain
 * @title: uadtrain
 *
 * Keeps frames of good parts while video passes, fits a model in the background at low priority,
 * derives its thresholds from frames that were held out, and writes the model file all at once. The
 * video is never changed and never waits for the fit. Input is raw video as listed in the pad
 * template, any size.
 *
 * Frames are kept at the size of the network's input, so that hundreds of them take little memory;
 * near-duplicates are left out and counted. What frames and fit will take is foreseen from the
 * first frame, and memory-budget is held by keeping no more frames than it has room for.
 *
 * The fit begins when `frames` are kept, when collect becomes false, when the budget is full, or at
 * the end of the stream, which then waits for the model (hold-eos). The action signal `cancel` ends
 * a fit without a model, `fit` begins one with the frames kept so far, or goes on with a cancelled
 * one where it ended; `finish-early` ends one with the model of what it has seen. When collect
 * becomes true after a fit, as many frames again are collected, and the next model is of all.
 *
 * With continue-from a model goes on learning: its method, options and input are kept, and
 * PatchCore keeps the size of its memory bank.
 *
 * Element messages on the bus: `uad-train-forecast` (budget-mb, room-frames), `uad-progress`
 * (stage, fraction, eta-s; -1: not known yet; coverage: distance of the worst good patch from the
 * memory bank, or loss, where the method has one) and `uad-model-ready` (path, sha256, frames,
 * duplicates, warn-threshold, reject-threshold, threshold-rule). A failed fit is a warning while
 * video plays, and an error when the stream waits for it.
 *
 * |[
 * gst-launch-1.0 -m videotestsrc pattern=snow num-buffers=40 ! \
 *   uadtrain output=trained.uad options="options,backbone=gabor" ! fakesink
 * ]|
 *
 * Since: 0.2
 */
#include "gst-plugins/uadtrain.h"

#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/mapped_frame.h"
#include "gst-plugins/common/stream.h"
#include "gst-plugins/uadtrain_session.h"

GST_DEBUG_CATEGORY_STATIC(uad_train_debug);
#define GST_CAT_DEFAULT uad_train_debug

using namespace uad::gst;

namespace {

enum { kStats = 1 };  // id beyond the table of settings

struct State {
  explicit State(GstElement* element) : session(element) {}
  TrainSession session;

  // streaming thread only
  GstVideoInfo info{};
  bool live = false;
};

}  // namespace

struct _UadTrain {
  GstBaseTransform parent;
  State* state;
};
G_DEFINE_TYPE(UadTrain, uad_train, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));

static void uad_train_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  const TrainSession& session = UAD_TRAIN(object)->state->session;
  if (id == train_properties().count() + kStats) {
    g_value_take_boxed(value, session.stats().release());
  } else {
    session.get_property(id, value);
  }
}

static void uad_train_set_property(GObject* object, guint id, const GValue* value,
                                   GParamSpec* spec) {
  UAD_TRAIN(object)->state->session.set_property(spec, id, value);
}

static void uad_train_cancel(UadTrain* self) { self->state->session.engine().cancel(); }

static void uad_train_fit(UadTrain* self) { self->state->session.engine().finish_collecting(); }

static void uad_train_finish_early(UadTrain* self) { self->state->session.engine().finish_early(); }

static gboolean uad_train_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  State* state = UAD_TRAIN(base)->state;
  return guarded<gboolean>(GST_ELEMENT(base), FALSE, [&] {
    state->info = video_info(in);
    return TRUE;
  });
}

static GstFlowReturn uad_train_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  State* state = UAD_TRAIN(base)->state;
  return guarded(GST_ELEMENT(base), GST_FLOW_ERROR, [&] {
    TrainSession& session = state->session;
    if (!session.wants_next(state->live)) return GST_FLOW_OK;
    const int white = session.settings().white_level;
    session.engine().take(MappedFrame(state->info, buffer, GST_MAP_READ, white).view());
    return GST_FLOW_OK;
  });
}

static gboolean uad_train_sink_event(GstBaseTransform* base, GstEvent* event) {
  State* state = UAD_TRAIN(base)->state;
  TrainSession& session = state->session;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
      session.engine().interrupt();
      break;
    case GST_EVENT_FLUSH_STOP:
      session.engine().resume();
      break;
    case GST_EVENT_SEGMENT:
      state->live = upstream_is_live(base);
      break;
    case GST_EVENT_EOS:
      session.finish();
      break;
    default: {
      const GstStructure* structure = gst_event_get_structure(event);
      gboolean collect = FALSE;
      if (structure != nullptr && gst_structure_has_name(structure, "uad-collect") &&
          gst_structure_get_boolean(structure, "collect", &collect)) {
        session.collect(collect != FALSE);
      }
    }
  }
  return GST_BASE_TRANSFORM_CLASS(uad_train_parent_class)->sink_event(base, event);
}

static GstStateChangeReturn uad_train_change_state(GstElement* element, GstStateChange transition) {
  TrainSession& session = UAD_TRAIN(element)->state->session;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    const bool opened = guarded(element, false, [&] {
      session.open();
      return true;
    });
    if (!opened) return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    session.engine().cancel();
    session.engine().interrupt();
  }
  const auto result = GST_ELEMENT_CLASS(uad_train_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) session.engine().resume();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) session.close();
  return result;
}

static void uad_train_finalize(GObject* object) {
  delete UAD_TRAIN(object)->state;
  G_OBJECT_CLASS(uad_train_parent_class)->finalize(object);
}

static void uad_train_init(UadTrain* self) {
  self->state = new State(GST_ELEMENT(self));
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);  // shared buffers stay shared
}

static void uad_train_class_init(UadTrainClass* klass) {
  GST_DEBUG_CATEGORY_INIT(uad_train_debug, "uadtrain", 0, "learns from good frames");
  auto* object = G_OBJECT_CLASS(klass);
  object->get_property = uad_train_get_property;
  object->set_property = uad_train_set_property;
  object->finalize = uad_train_finalize;
  train_properties().install(object);
  g_object_class_install_property(
      object, train_properties().count() + kStats,
      g_param_spec_boxed("stats", "Stage and counts (frames)",
                         "uad-train-stats: stage (preparing, collecting, fitting, ready, failed, "
                         "cancelled), offered, kept, duplicates, missed (live, before the method "
                         "was loaded)",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(static_cast<int>(G_PARAM_READABLE) |
                                                  static_cast<int>(G_PARAM_STATIC_STRINGS))));
  add_action(object, "cancel", G_CALLBACK(uad_train_cancel));
  add_action(object, "fit", G_CALLBACK(uad_train_fit));
  add_action(object, "finish-early", G_CALLBACK(uad_train_finish_early));
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = uad_train_change_state;
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Anomaly trainer", "Filter/Analyzer/Video",
                                        "Learns what good parts look like while video passes",
                                        "gst-uad");
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->set_caps = uad_train_set_caps;
  transform->transform_ip = uad_train_transform_ip;
  transform->sink_event = uad_train_sink_event;
  transform->propose_allocation = forward_allocation;
}

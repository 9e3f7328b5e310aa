// SPDX-License-Identifier: LGPL-2.1-or-later
// uadinfer: judges each frame with a trained model and attaches the result.
/**
 * SECTION:element-uadinfer
 * @title: uadinfer
 *
 * Analyses video with a model file (.uad) and attaches a #UadResultMeta to every buffer: verdict,
 * score, regions, map. One GstVideoRegionOfInterestMeta ("anomaly") per region is attached too. The
 * video itself passes untouched. Input is raw video as listed in the pad template, any size.
 *
 * On a live source video never waits: frames carry the newest result and its age, and one older
 * than max-age is UNSCORED. From a file each frame waits for its own result. See live-policy. At
 * the end of a live stream the analysis in progress is waited for, at most 2 s.
 *
 * Where each frame waits, frames-in-flight lets several be on their way, so that the next are
 * fetched and cut while the network works. They leave in their order, each as soon as its result
 * is there, on a thread of their own; nothing is held back until another frame comes. In one
 * process elements with the same model file, device and precision share one model in memory, and
 * their frames go through the network together (batch-size, batch-timeout), none before its turn.
 *
 * With deadline a model of many windows looks at as many of them in each frame as fit the time;
 * docs/streams.md says which, and what the messages state of it.
 *
 * Element messages on the bus: `uad-result` (frame, pts, utc, score, normalised-score,
 * latency-ms, verdict, model, product, regions, tags, windows, windows-analysed, oldest-window,
 * covered-within), `uad-health` (healthy, frames, unscored, skipped-share, longest-gap-ms; at most
 * one a second, of live streams, when something is missing and when all is well again),
 * `uad-progress` (stage, fraction) while a model is being loaded,
 * `uad-model-changed` (path, sha256, why: watch, undo, promote, property, reload, good-frame),
 * `uad-shadow` (frame, pts, verdict, score, shadow-verdict, shadow-score; when shadow and model
 * begin to disagree in another way, and at most once a second while they go on) and `uad-verdict`.
 *
 * With part-boundary each part gets one verdict from those of its frames (part-rule), in
 * `uad-verdict`; docs/parts.md has its fields. A custom event `uad-part`, from either side, begins
 * a part that it may name (`id`), or ends one (`end`=true); so do `begin-part` and `end-part`.
 *
 * Models change between two frames. The action signal `reload` loads the model file again; `undo`
 * goes back to the model before, kept in memory for that (see keep-previous), and `promote` puts
 * the shadow in service. Both return FALSE if there is none. What they put in service is replaced
 * by a watch only when its file changes again. A shadow judges the frames that the model has
 * judged, after it and at low priority; one of another geometry costs one more cut of the frame.
 *
 * A frame that was rejected although it is good can be learnt: with `evidence` set, the action
 * signal `mark-good` with its time (pts, ns; the largest number: the newest that did not pass), or
 * an event `uad-mark-good` (pts) from either side, has a copy of the model learn it in the
 * background. The copy takes over once it passes the frame, its self-test frames, and rejects all
 * of `kept-defects`; `undo` takes it back. `uad-update` (frame, pts, accepted, score-before,
 * score-after, defects, path, sha256, why) says what came of it. For PatchCore and PaDiM.
 *
 * A uadpreproc in front follows to a changed model by itself; frames that it has cut for the old
 * model are judged by the old one. It cannot wait for a file that is not there yet: leave it out.
 * Crop or flip before this element: the results do not follow videocrop, videobox and videoflip.
 *
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! uadinfer model=model.uad ! \
 *   uadoverlay ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "gst-plugins/uadinfer.h"

#include <atomic>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "gst-plugins/common/demand.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/mapped_frame.h"
#include "gst-plugins/common/result.h"
#include "gst-plugins/common/stream.h"
#include "gst-plugins/common/tiles_meta.h"
#include "gst-plugins/uadinfer_actions.h"
#include "gst-plugins/uadinfer_queue.h"
#include "gst-plugins/uadinfer_session.h"

GST_DEBUG_CATEGORY(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

using namespace uad::gst;

namespace {

struct State {
  State(GstElement* element, GstPad* source, InferQueue::Finish finish)
      : session(element),
        queue(source, std::move(finish)),
        activate_source(GST_PAD_ACTIVATEMODEFUNC(source)) {
    gst_video_info_init(&info);
  }
  InferSession session;
  InferQueue queue;
  GstPadActivateModeFunction activate_source;  // the base class's
  std::atomic<GstClockTime> frame_time{0};     // by the caps; 0 = unknown

  // streaming thread only
  GstVideoInfo info;
  ResultAttacher attacher;  // where frames leave
  std::uint64_t frames = 0;
  bool begun = false;
  bool several = false;  // in flight: buffers leave through the queue
  bool cut_upstream = false;
  std::optional<Demand> told;  // what upstream heard last

  [[nodiscard]] uad::InferenceOptions options() const {
    return session.settings().inference(session.live());
  }
};

}  // namespace

struct _UadInfer {
  GstBaseTransform parent;
  State* state;
};
G_DEFINE_TYPE(UadInfer, uad_infer, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(UAD_VIDEO_FORMATS)));

InferSession& uad::gst::session_of(gpointer element) { return UAD_INFER(element)->state->session; }

static void uad_infer_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  UAD_INFER(object)->state->session.get_property(id, value);
}

static void uad_infer_set_property(GObject* object, guint id, const GValue* value,
                                   GParamSpec* spec) {
  UAD_INFER(object)->state->session.set_property(spec, id, value);
}

static gboolean uad_infer_start(GstBaseTransform* base) {
  InferSession& session = UAD_INFER(base)->state->session;
  if (session.settings().model.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND,
                      ("uadinfer has no model; set model=FILE.uad (uad train makes one)."),
                      (nullptr));
    return FALSE;
  }
  session.engine().resume();
  return TRUE;
}

static gboolean uad_infer_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  return guarded<gboolean>(GST_ELEMENT(base), FALSE, [&] {
    State* state = UAD_INFER(base)->state;
    const GstVideoInfo info = video_info(in);
    // a result of another frame size would point anywhere; the same one is but negotiated again
    if (!gst_video_info_is_equal(&info, &state->info)) state->session.forget();
    state->info = info;
    state->frame_time = frame_time(info);
    return TRUE;
  });
}

/// Before the first buffer, or when uadpreproc announces itself.
static void uad_infer_begin(UadInfer* self) {
  State* state = self->state;
  if (state->begun) return;
  state->begun = true;
  state->session.begin(upstream_is_live(GST_BASE_TRANSFORM(self)));
  state->several = state->queue.active() && state->options().every;
  GST_INFO_OBJECT(self, "upstream is %s, so frames get %s result",
                  state->session.live() ? "live" : "not live",
                  state->options().every ? "their own" : "the latest");
}

/// Says upstream what is wanted of the frames to come, where it has changed.
static void uad_infer_tell(UadInfer* self, bool wanted, const uad::InferenceOptions& options) {
  const Demand demand = self->state->session.demand(wanted, options);
  if (demand == std::exchange(self->state->told, demand)) return;
  const std::string sender = take_string(gst_object_get_path_string(GST_OBJECT(self)));
  gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(self), demand_event(sender, demand).release());
}

static uad::FrameInput uad_infer_frame(UadInfer* self, GstBuffer* buffer) {
  State* state = self->state;
  const auto carried = tiles_of(buffer);
  if (state->cut_upstream && !carried) {
    throw uad::Error(uad::ErrorCode::kShapeMismatch,
                     "The tiles of uadpreproc were lost on the way to uadinfer; connect the two "
                     "directly, and convert, scale or crop before uadpreproc.");
  }
  uad::FrameInput frame;
  frame.capture = capture_of(GST_BASE_TRANSFORM(self), buffer);
  frame.capture.frame = state->frames++;
  frame.cut_upstream = carried.has_value();
  frame.tiles = carried.value_or(nullptr);
  frame.duration = duration_of(state->info, buffer);
  const auto map = [state, buffer, white = state->session.settings().white_level] {
    return MappedFrame(state->info, buffer, GST_MAP_READ, white);
  };
  if (state->session.parts().tracker().wants_pixels()) state->session.parts().look(map().view());
  frame.cut = [map](const uad::Analyser& analyser) { return analyser.cut(map().view()); };
  return frame;
}

static void uad_infer_attach(UadInfer* self, GstBuffer* buffer, const uad::Shown& shown) {
  GST_LOG_OBJECT(self, "%" GST_PTR_FORMAT " %s", buffer,
                 std::string(uad::to_string(shown.verdict)).c_str());
  self->state->attacher.attach(buffer, shown);
}

/// The loader has posted why there is none; else the wait for it was broken off.
static GstFlowReturn uad_infer_without_model(UadInfer* self) {
  const bool gave_up = self->state->session.engine().models().gave_up();
  return gave_up ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
}

static GstFlowReturn uad_infer_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  UadInfer* self = UAD_INFER(base);
  State* state = self->state;
  return guarded(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    uad_infer_begin(self);
    uad::InferenceEngine& engine = state->session.engine();
    const uad::InferenceOptions options = state->options();
    const uad::FrameInput frame = uad_infer_frame(self, buffer);
    const auto shown = engine.analyse(frame, options);
    if (!shown) return uad_infer_without_model(self);
    uad_infer_attach(self, buffer, *shown);
    if (state->cut_upstream) uad_infer_tell(self, engine.wants_next(frame, options), options);
    return GST_FLOW_OK;
  });
}

/// With several in flight: takes a frame in and hands it over to the network.
static GstFlowReturn uad_infer_generate_output(GstBaseTransform* base, GstBuffer** output) {
  UadInfer* self = UAD_INFER(base);
  State* state = self->state;
  uad_infer_begin(self);
  if (!state->several) {
    return GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->generate_output(base, output);
  }
  *output = nullptr;  // the queue pushes it
  BufferPtr buffer = BufferPtr::adopt(std::exchange(base->queued_buf, nullptr));
  if (!buffer) return GST_FLOW_OK;
  return guarded(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    const GstFlowReturn flow = state->queue.wait_for_room();
    if (flow != GST_FLOW_OK) return flow;
    uad::InferenceEngine& engine = state->session.engine();
    const uad::InferenceOptions options = state->options();
    auto pending = engine.begin(uad_infer_frame(self, buffer.get()), options);
    if (!pending) return uad_infer_without_model(self);
    state->queue.put(std::move(buffer), std::move(*pending));
    if (state->cut_upstream) uad_infer_tell(self, true, options);
    return GST_FLOW_OK;
  });
}

/// The other half, on the queue's task.
static GstFlowReturn uad_infer_finish(UadInfer* self, BufferPtr& buffer,
                                      uad::PendingFrame pending) {
  return guarded(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    const auto shown = self->state->session.engine().finish(std::move(pending));
    if (!shown) return GST_FLOW_FLUSHING;
    buffer = BufferPtr::adopt(gst_buffer_make_writable(buffer.release()));
    uad_infer_attach(self, buffer.get(), *shown);
    return GST_FLOW_OK;
  });
}

/// New caps of downstream are found out about here, and the base class tells downstream at once.
static GstFlowReturn uad_infer_submit_input(GstBaseTransform* base, gboolean discont,
                                            GstBuffer* buffer) {
  State* state = UAD_INFER(base)->state;
  if (state->several && gst_pad_needs_reconfigure(GST_BASE_TRANSFORM_SRC_PAD(base))) {
    state->queue.drain();
  }
  return GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)
      ->submit_input_buffer(base, discont, buffer);
}

static gboolean uad_infer_sink_event(GstBaseTransform* base, GstEvent* event) {
  UadInfer* self = UAD_INFER(base);
  State* state = self->state;
  uad::InferenceEngine& engine = state->session.engine();
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type == GST_EVENT_FLUSH_START) {
    state->queue.begin_flush();  // before frames are given up, which would read as a failure
    engine.interrupt();
  }
  if (type == GST_EVENT_FLUSH_STOP) {
    state->session.forget();
    engine.resume();
  }
  state->session.heard(event);
  if (is_announcement(event)) {
    uad_infer_begin(self);
    state->cut_upstream = true;
    state->told.reset();
    uad_infer_tell(self, true, state->options());
  }
  const bool serialised = (gst_event_type_get_flags(type) & GST_EVENT_TYPE_SERIALIZED) != 0;
  if (serialised && state->several && state->queue.takes(event)) return TRUE;
  if (type == GST_EVENT_EOS) state->session.finish();
  const gboolean sent = GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->sink_event(base, event);
  if (type == GST_EVENT_FLUSH_START) state->queue.rest();
  if (type == GST_EVENT_FLUSH_STOP) state->queue.end_flush();
  return sent;
}

static gboolean uad_infer_src_event(GstBaseTransform* base, GstEvent* event) {
  UAD_INFER(base)->state->session.heard(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) UAD_INFER(base)->state->queue.relinked();
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
    GstClockTimeDiff late = 0;
    gst_event_parse_qos(event, nullptr, nullptr, &late, nullptr);
    if (late > 0) UAD_INFER(base)->state->session.engine().skip_one();
  }
  return GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->src_event(base, event);
}

static gboolean uad_infer_query(GstBaseTransform* base, GstPadDirection direction,
                                GstQuery* query) {
  State* state = UAD_INFER(base)->state;
  const GstQueryTypeFlags flags = gst_query_type_get_flags(GST_QUERY_TYPE(query));
  const bool serialised = (flags & GST_QUERY_TYPE_SERIALIZED) != 0;
  if (direction == GST_PAD_SINK && serialised && state->several &&
      state->queue.drain() != GST_FLOW_OK) {
    return FALSE;
  }
  if (!GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->query(base, direction, query)) {
    return FALSE;
  }
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY && direction == GST_PAD_SRC) {
    const auto held = static_cast<GstClockTime>(state->queue.capacity());
    state->session.add_latency(query, held * state->frame_time);
  }
  return TRUE;
}

static gboolean uad_infer_propose_allocation(GstBaseTransform* base, GstQuery* decide,
                                             GstQuery* query) {
  const InferQueue& queue = UAD_INFER(base)->state->queue;
  const gboolean answered = forward_allocation(base, decide, query);
  queue.ask_for_buffers(query);
  return answered || queue.active();
}

static gboolean uad_infer_activate_source(GstPad* pad, GstObject* parent, GstPadMode mode,
                                          gboolean active) {
  State* state = UAD_INFER(parent)->state;
  const int frames = state->session.settings().frames_in_flight;
  if (mode == GST_PAD_MODE_PUSH && active && frames > 1) state->queue.start(frames);
  if (mode == GST_PAD_MODE_PUSH && !active) {
    state->session.engine().interrupt();
    state->queue.stop();
  }
  return state->activate_source(pad, parent, mode, active);
}

static gboolean uad_infer_stop(GstBaseTransform* base) {
  State* state = UAD_INFER(base)->state;
  state->session.end();
  state->attacher.reset();
  state->begun = state->several = state->cut_upstream = false;
  state->told.reset();
  state->frames = 0;
  return TRUE;
}

static GstStateChangeReturn uad_infer_change_state(GstElement* element, GstStateChange transition) {
  InferSession& session = UAD_INFER(element)->state->session;
  const auto opened = [&session] {
    session.open();
    return true;
  };
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !guarded(element, false, opened)) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) session.resume();
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) session.engine().health().end();
  // wakes a frame that waits for the model, which the parent then waits for
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) session.engine().interrupt();
  const auto result = GST_ELEMENT_CLASS(uad_infer_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) session.close();
  return result;
}

static void uad_infer_finalize(GObject* object) {
  delete UAD_INFER(object)->state;
  G_OBJECT_CLASS(uad_infer_parent_class)->finalize(object);
}

static void uad_infer_init(UadInfer* self) {
  GstPad* source = GST_BASE_TRANSFORM_SRC_PAD(self);
  self->state =
      new State(GST_ELEMENT(self), source, [self](BufferPtr& buffer, uad::PendingFrame pending) {
        return uad_infer_finish(self, buffer, std::move(pending));
      });
  gst_pad_set_activatemode_function(source, uad_infer_activate_source);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void uad_infer_class_init(UadInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(uad_infer_debug, "uadinfer", 0, "judges video frames");
  auto* object = G_OBJECT_CLASS(klass);
  object->get_property = uad_infer_get_property;
  object->set_property = uad_infer_set_property;
  object->finalize = uad_infer_finalize;
  infer_properties().install(object);
  install_infer_readings(object);
  install_infer_actions(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = uad_infer_change_state;
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Anomaly inference", "Filter/Analyzer/Video",
                                        "Judges video frames with a model learned from good parts",
                                        "gst-uad");
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->start = uad_infer_start;
  transform->stop = uad_infer_stop;
  transform->set_caps = uad_infer_set_caps;
  transform->submit_input_buffer = uad_infer_submit_input;
  transform->generate_output = uad_infer_generate_output;
  transform->transform_ip = uad_infer_transform_ip;
  transform->sink_event = uad_infer_sink_event;
  transform->src_event = uad_infer_src_event;
  transform->query = uad_infer_query;
  transform->propose_allocation = uad_infer_propose_allocation;
}

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
 * than max-age is UNSCORED. From a file each frame waits for its own result. See live-policy.
 *
 * Element messages on the bus: `uad-result` (pts, utc, score, normalised-score, latency-ms,
 * verdict, model, regions, tags), `uad-health` (healthy, frames, unscored, skipped-share,
 * longest-gap-ms; at most one a second, of live streams, when something is missing and when all is
 * well again) and `uad-progress` (stage, fraction) while a model is being loaded. The action signal
 * `reload` loads the model file again.
 *
 * Crop or flip before this element: the results do not follow videocrop, videobox and videoflip.
 * videoscale and videoconvert behind it are fine.
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
#include <cmath>
#include <memory>
#include <mutex>

#include "core/base/error.h"
#include "core/base/file_stamp.h"
#include "core/base/ticker.h"
#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/demand.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/mapped_frame.h"
#include "gst-plugins/common/result.h"
#include "gst-plugins/common/stream.h"
#include "gst-plugins/common/tiles_meta.h"
#include "gst-plugins/uadinfer_settings.h"

GST_DEBUG_CATEGORY_STATIC(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

using namespace uad::gst;

namespace {

struct State {
  explicit State(uad::InferenceEngine::Events events) : engine(std::move(events)) {}

  std::mutex lock;  // guards `settings` and `loaded_file`
  InferSettings settings;
  uad::FileStamp loaded_file;
  uad::InferenceEngine engine;
  std::unique_ptr<uad::Ticker> ticker;
  std::atomic<bool> live{false};
  std::atomic<GstClockTime> latency{0};  // reported for `every`; 0 = not yet measured
  uad::Verdict last_verdict = uad::Verdict::kUnscored;  // where results finish, one at a time
  double mean_ms = 0;                                   // the same

  // streaming thread only
  GstVideoInfo info{};
  ResultAttacher attacher;
  bool started = false;
  bool cut_upstream = false;
  Demand told;  // what upstream heard last

  InferSettings copy() {
    const std::lock_guard guard(lock);
    return settings;
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

static void post(UadInfer* self, MessagePtr message) {
  gst_element_post_message(GST_ELEMENT(self), message.release());
}

// ---- the model ----

static void uad_infer_load(UadInfer* self) {
  const InferSettings settings = self->state->copy();
  if (settings.model.empty()) return;
  {
    const std::lock_guard guard(self->state->lock);
    self->state->loaded_file = uad::stamp_of(settings.model);
  }
  self->state->engine.models().load([self, settings](const std::stop_token& stop) {
    return uad::Analyser::load(
        backend(), settings.model, settings.execution(),
        [self](double done, const std::string& stage) {
          post(self, progress_message(GST_ELEMENT(self), done, stage));
        },
        stop);
  });
}

static void uad_infer_loaded(UadInfer* self, const uad::AnalyserPtr& analyser) {
  const uad::Model& model = analyser->model();
  GST_INFO_OBJECT(self, "model %s in service on %s, %s, %.1f ms a frame", analyser->name().c_str(),
                  model.device().c_str(), model.precision().c_str(), model.warm_up_ms());
  self->state->latency = static_cast<GstClockTime>(model.warm_up_ms() * GST_MSECOND);
  post(self, MessagePtr::adopt(gst_message_new_latency(GST_OBJECT(self))));
  g_object_notify(G_OBJECT(self), "active-device");
}

static void uad_infer_load_failed(UadInfer* self, const std::exception_ptr& reason,
                                  bool old_in_service) {
  if (old_in_service) {
    post_warning(GST_ELEMENT(self), reason, "The model in service stays: ");
  } else {
    post_error(GST_ELEMENT(self), reason);
  }
}

/// Once a second, on a thread of its own.
static void uad_infer_tick(UadInfer* self) {
  State* state = self->state;
  const InferSettings settings = state->copy();
  const auto report = state->engine.health().report(std::chrono::steady_clock::now(),
                                                    std::chrono::milliseconds(settings.max_age_ms));
  if (report) post(self, health_message(GST_ELEMENT(self), *report));
  if (!settings.watch) return;
  const uad::FileStamp now = uad::stamp_of(settings.model);
  std::unique_lock guard(state->lock);
  const bool replaced = now.bytes >= 0 && now != state->loaded_file;
  guard.unlock();
  if (replaced) uad_infer_load(self);
}

static void uad_infer_reload(UadInfer* self) { uad_infer_load(self); }

// ---- properties ----

enum { kActiveDevice = 1, kStats = 2 };  // added to the table's count

static GstStructure* uad_infer_stats(UadInfer* self) {
  const uad::StreamCounts counts = self->state->engine.health().counts();
  const auto analyser = self->state->engine.models().get();
  return gst_structure_new(
      "uad-stats", "frames", G_TYPE_UINT64, counts.frames, "analysed", G_TYPE_UINT64,
      counts.analysed, "skipped", G_TYPE_UINT64, counts.skipped, "unscored", G_TYPE_UINT64,
      counts.unscored, "last-ms", G_TYPE_DOUBLE, counts.last_ms, "mean-ms", G_TYPE_DOUBLE,
      counts.mean_ms, "model", G_TYPE_STRING, analyser ? analyser->name().c_str() : "", "precision",
      G_TYPE_STRING, analyser ? analyser->model().precision().c_str() : "", nullptr);
}

static void uad_infer_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  State* state = UAD_INFER(object)->state;
  if (id == infer_properties().count() + kActiveDevice) {
    const auto analyser = state->engine.models().get();
    g_value_set_string(value, analyser ? analyser->model().device().c_str() : "");
  } else if (id == infer_properties().count() + kStats) {
    g_value_take_boxed(value, uad_infer_stats(UAD_INFER(object)));
  } else {
    const std::lock_guard guard(state->lock);
    infer_properties().get(state->settings, id, value);
  }
}

static void uad_infer_set_property(GObject* object, guint id, const GValue* value,
                                   GParamSpec* spec) {
  UadInfer* self = UAD_INFER(object);
  State* state = self->state;
  const InferSettings before = state->copy();
  if (!infer_properties().set(object, spec, id, value, state->lock, state->settings)) return;
  if (GST_STATE(self) >= GST_STATE_READY && !before.same_model(state->copy())) uad_infer_load(self);
}

// ---- the stream ----

static gboolean uad_infer_start(GstBaseTransform* base) {
  State* state = UAD_INFER(base)->state;
  if (state->copy().model.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND,
                      ("uadinfer has no model; set model=FILE.uad (uad train makes one)."),
                      (nullptr));
    return FALSE;
  }
  state->engine.models().resume();
  return TRUE;
}

static gboolean uad_infer_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  return guarded<gboolean>(GST_ELEMENT(base), FALSE, [&] {
    UAD_INFER(base)->state->info = video_info(in);
    return TRUE;
  });
}

/// Before the first buffer, or when uadpreproc announces itself: asks whether upstream is live.
static void uad_infer_begin(UadInfer* self) {
  State* state = self->state;
  if (state->started) return;
  state->started = true;
  state->live = upstream_is_live(GST_BASE_TRANSFORM(self));
  if (state->live) state->engine.health().begin(std::chrono::steady_clock::now());
  GST_INFO_OBJECT(self, "upstream is %s: live-policy %s", state->live ? "live" : "not live",
                  state->copy().every(state->live) ? "every" : "latest");
}

static void uad_infer_tell(UadInfer* self, const Demand& demand) {
  self->state->told = demand;
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
  frame.cut_upstream = carried.has_value();
  frame.tiles = carried.value_or(nullptr);
  frame.duration = duration_of(state->info, buffer);
  frame.cut = [state, buffer](const uad::Analyser& analyser) {
    return analyser.cut(MappedFrame(state->info, buffer, GST_MAP_READ).view());
  };
  return frame;
}

static GstFlowReturn uad_infer_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  UadInfer* self = UAD_INFER(base);
  State* state = self->state;
  return guarded(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    uad_infer_begin(self);
    const uad::InferenceOptions options = state->copy().inference(state->live);
    const uad::FrameInput frame = uad_infer_frame(self, buffer);
    const auto shown = state->engine.analyse(frame, options);
    // the loader has posted why there is no model
    if (!shown) return state->engine.models().failed() ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
    GST_LOG_OBJECT(self, "%" GST_PTR_FORMAT " %s", buffer,
                   std::string(uad::to_string(shown->verdict)).c_str());
    state->attacher.attach(buffer, *shown);
    if (state->cut_upstream) {
      const Demand demand{state->engine.wants_next(frame, options), options.every,
                          options.interval};
      if (demand != state->told) uad_infer_tell(self, demand);
    }
    return GST_FLOW_OK;
  });
}

/// On the streaming thread in `every`, else on the worker's.
static void uad_infer_analysed(UadInfer* self, const uad::Analysis& analysis) {
  State* state = self->state;
  const InferSettings settings = state->copy();
  const bool changed = analysis.verdict != state->last_verdict;
  state->last_verdict = analysis.verdict;
  if (settings.messages == Messages::kAll || (settings.messages == Messages::kChange && changed)) {
    post(self, result_message(GST_ELEMENT(self), analysis, settings.tags));
  }
  if (!state->live || !settings.every(state->live)) return;
  constexpr double kSmoothing = 0.05;
  constexpr double kWorthTelling = 0.1;
  const double now_ms = analysis.timings.total_ms;
  state->mean_ms += (now_ms - state->mean_ms) * (state->mean_ms > 0 ? kSmoothing : 1);
  const double told = static_cast<double>(state->latency.load());
  if (std::abs(state->mean_ms * GST_MSECOND - told) > kWorthTelling * told) {
    state->latency = static_cast<GstClockTime>(state->mean_ms * GST_MSECOND);
    post(self, MessagePtr::adopt(gst_message_new_latency(GST_OBJECT(self))));
  }
}

static gboolean uad_infer_sink_event(GstBaseTransform* base, GstEvent* event) {
  UadInfer* self = UAD_INFER(base);
  State* state = self->state;
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type == GST_EVENT_FLUSH_START) state->engine.models().interrupt();
  if (type == GST_EVENT_EOS) state->engine.health().end();
  if (type == GST_EVENT_FLUSH_STOP) {
    state->engine.forget();
    state->engine.models().resume();
  }
  if (is_announcement(event)) {
    uad_infer_begin(self);
    state->cut_upstream = true;
    const uad::InferenceOptions options = state->copy().inference(state->live);
    uad_infer_tell(self, {true, options.every, options.interval});
  }
  return GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->sink_event(base, event);
}

static gboolean uad_infer_src_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
    GstClockTimeDiff late = 0;
    gst_event_parse_qos(event, nullptr, nullptr, &late, nullptr);
    if (late > 0) UAD_INFER(base)->state->engine.skip_one();
  }
  return GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->src_event(base, event);
}

static gboolean uad_infer_query(GstBaseTransform* base, GstPadDirection direction,
                                GstQuery* query) {
  State* state = UAD_INFER(base)->state;
  if (!GST_BASE_TRANSFORM_CLASS(uad_infer_parent_class)->query(base, direction, query)) {
    return FALSE;
  }
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY || direction != GST_PAD_SRC) return TRUE;
  gboolean live = FALSE;
  GstClockTime least = 0;
  GstClockTime most = 0;
  gst_query_parse_latency(query, &live, &least, &most);
  if (!live || !state->copy().every(true)) return TRUE;
  least += state->latency;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += state->latency;
  gst_query_set_latency(query, live, least, most);
  return TRUE;
}

static gboolean uad_infer_stop(GstBaseTransform* base) {
  State* state = UAD_INFER(base)->state;
  state->engine.stop();
  state->attacher.reset();
  state->started = state->cut_upstream = state->live = false;
  state->told = {};
  state->last_verdict = uad::Verdict::kUnscored;
  state->mean_ms = 0;
  return TRUE;
}

static GstStateChangeReturn uad_infer_change_state(GstElement* element, GstStateChange transition) {
  UadInfer* self = UAD_INFER(element);
  uad::InferenceEngine& engine = self->state->engine;
  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      uad_infer_load(self);
      self->state->ticker =
          std::make_unique<uad::Ticker>(std::chrono::seconds(1), [self] { uad_infer_tick(self); });
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (self->state->live) engine.health().begin(std::chrono::steady_clock::now());
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      engine.health().end();
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      engine.models().interrupt();
      break;
    default:
      break;
  }
  const auto result = GST_ELEMENT_CLASS(uad_infer_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
    self->state->ticker.reset();
    engine.models().stop();
  }
  return result;
}

// ---- the type ----

static void uad_infer_finalize(GObject* object) {
  delete UAD_INFER(object)->state;
  G_OBJECT_CLASS(uad_infer_parent_class)->finalize(object);
}

static void uad_infer_init(UadInfer* self) {
  self->state = new State(
      {{[self](const uad::AnalyserPtr& analyser) { uad_infer_loaded(self, analyser); },
        [self](const std::exception_ptr& reason, bool old_in_service) {
          uad_infer_load_failed(self, reason, old_in_service);
        }},
       [self](const uad::AnalysisPtr& analysis) { uad_infer_analysed(self, *analysis); }});
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void uad_infer_class_init(UadInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(uad_infer_debug, "uadinfer", 0, "judges video frames");
  auto* object = G_OBJECT_CLASS(klass);
  object->get_property = uad_infer_get_property;
  object->set_property = uad_infer_set_property;
  object->finalize = uad_infer_finalize;
  infer_properties().install(object);
  const auto read_only = static_cast<GParamFlags>(static_cast<int>(G_PARAM_READABLE) |
                                                  static_cast<int>(G_PARAM_STATIC_STRINGS));
  g_object_class_install_property(
      object, infer_properties().count() + kActiveDevice,
      g_param_spec_string("active-device", "Device in use (cpu or cuda:N)",
                          "Where the model in service runs; empty while there is none", "",
                          read_only));
  g_object_class_install_property(
      object, infer_properties().count() + kStats,
      g_param_spec_boxed("stats", "Counts (frames) and times (ms)",
                         "uad-stats: frames, analysed, skipped (left without a result of their "
                         "own), unscored, last-ms, mean-ms, model, precision",
                         GST_TYPE_STRUCTURE, read_only));
  g_signal_new_class_handler("reload", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(uad_infer_reload), nullptr, nullptr, nullptr, G_TYPE_NONE,
                             0);
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
  transform->transform_ip = uad_infer_transform_ip;
  transform->sink_event = uad_infer_sink_event;
  transform->src_event = uad_infer_src_event;
  transform->query = uad_infer_query;
  transform->propose_allocation = forward_allocation;
}

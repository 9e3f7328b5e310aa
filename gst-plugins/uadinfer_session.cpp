// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_session.h"

#include "core/base/engine/niceness.h"
#include "core/base/error.h"
#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/result.h"

GST_DEBUG_CATEGORY_EXTERN(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

namespace uad::gst {

namespace {

constexpr char kStays[] = "The model in service stays: ";

AnalyserPtr load_file(const std::string& path, const InferSettings& wanted,
                      const ProgressFn& progress, const std::stop_token& stop) {
  return Analyser::load(backend(), path, wanted.execution(), progress, stop);
}

/// Whether another file at this path could load.
bool fault_of_file(const std::exception_ptr& reason, const std::string& path) {
  try {
    std::rethrow_exception(reason);
  } catch (const Error& error) {
    return error.code() == ErrorCode::kBadFile || stamp_of(path).bytes < 0;
  } catch (...) {
    return false;
  }
}

Error nothing_to_compare(const std::string& path) {
  return {ErrorCode::kBadOption,
          "shadow and model name the same file \"" + path +
              "\"; set shadow to the model that is to be compared, or leave it empty."};
}

}  // namespace

InferSession::InferSession(GstElement* element)
    : element_(element),
      shadow_report_(element),
      mark_report_(element, [this] { return settings(); }),
      parts_(element),
      latency_(element),
      engine_({{[this](const AnalyserPtr& analyser, const std::string& why) {
                  on_loaded(analyser, why);
                },
                [this](const std::exception_ptr& reason, bool old_in_service) {
                  on_load_failed(reason, old_in_service);
                }},
               [this](const AnalysisPtr& analysis) { on_analysed(analysis); },
               shadow_report_.events(),
               mark_report_.events(
                   [this]() -> LoadSlot<Analyser>& { return engine_.models(); },
                   [this](const AnalyserPtr& analyser) { on_loaded(analyser, "good-frame"); }),
               [this] { return awaits_file_.load(); },
               [this](const Capture& frame, bool taken) {
                 return parts_.tracker().frame(frame, taken);
               },
               [this](const Error& reason) {
                 post_warning(element_, std::make_exception_ptr(reason),
                              "deadline has no effect: ");
               }},
              batchers()) {}

InferSettings InferSession::settings() const {
  const std::lock_guard guard(lock_);
  return settings_;
}

void InferSession::get_property(guint id, GValue* value) const {
  const guint beyond = id - infer_properties().count();
  if (id <= infer_properties().count()) {
    const std::lock_guard guard(lock_);
    infer_properties().get(settings_, id, value);
  } else {
    read_infer(engine_, static_cast<InferReading>(beyond), value);
  }
}

void InferSession::set_property(GParamSpec* spec, guint id, const GValue* value) {
  const InferSettings before = settings();
  if (!infer_properties().set(G_OBJECT(element_), spec, id, value, lock_, settings_)) return;
  if (GST_STATE(element_) >= GST_STATE_READY) follow(before);
}

void InferSession::follow(const InferSettings& before) {
  const InferSettings now = settings();
  engine_.models().keep_previous(now.keep_previous);
  if (before.evidence != now.evidence || before.kept_defects != now.kept_defects) {
    try {
      MarkReport::prepare(now);
    } catch (...) {
      post_warning(element_, std::current_exception(), "Frames cannot be marked as good: ");
    }
  }
  engine_.marks().remember_up_to(now.frames_to_remember());
  // without a watch, a missing model is an error
  const bool nothing_to_wait_for = before.watch && !now.watch && engine_.models().gave_up();
  if (!before.same_model(now) || nothing_to_wait_for) load("property");
  if (before.shadow != now.shadow || before.model != now.model) {
    if (now.shadow_is_model()) {
      engine_.shadow().models().take();
      post_warning(element_, std::make_exception_ptr(nothing_to_compare(now.shadow)),
                   "The shadow is not compared: ");
    } else if (before.shadow != now.shadow || before.shadow_is_model()) {
      load_shadow();
    }
  }
  if (before.shadow_log != now.shadow_log) shadow_report_.log_to(now.shadow_log);
  try {
    parts_.set(now);
  } catch (...) {
    post_warning(element_, std::current_exception(), "Parts are judged as before: ");
  }
}

void InferSession::open() {
  const InferSettings now = settings();
  if (now.shadow_is_model()) throw nothing_to_compare(now.shadow);
  parts_.set(now);
  MarkReport::prepare(now);
  engine_.marks().remember_up_to(now.frames_to_remember());
  engine_.models().keep_previous(now.keep_previous);
  shadow_report_.log_to(now.shadow_log);
  load("");
  load_shadow();
  ticker_ = std::make_unique<Ticker>(std::chrono::seconds(1), [this] { tick(); });
}

void InferSession::close() {
  ticker_.reset();
  engine_.close();
  awaits_file_ = false;
  engine_.shadow().models().stop();
  shadow_report_.log_to("");
}

void InferSession::load(const std::string& why) {
  const InferSettings wanted = settings();
  if (wanted.model.empty()) return;
  const FileStamp found = stamp_of(wanted.model);
  {
    const std::lock_guard guard(lock_);
    watcher_.settle_on(found);
  }
  const auto progress = [this](double done, const std::string& stage) {
    post(progress_message(element_, done, stage));
  };
  engine_.models().load(
      [wanted, progress](const std::stop_token& stop) {
        return load_file(wanted.model, wanted, progress, stop);
      },
      why);
}

void InferSession::load_shadow() {
  const InferSettings wanted = settings();
  if (wanted.shadow.empty()) {
    engine_.shadow().models().take();
    return;
  }
  engine_.shadow().models().load([wanted](const std::stop_token& stop) {
    be_nice(kBackgroundNiceness);
    return load_file(wanted.shadow, wanted, nullptr, stop);
  });
}

bool InferSession::undo() {
  engine_.marks().drop();  // what is being learnt belongs to what is undone
  const AnalyserPtr current = engine_.models().get();
  const AnalyserPtr previous = engine_.models().undo();
  if (!previous) return false;
  if (current) mark_report_.undo(current->model().sha256());
  serve_from(previous->file().string());
  on_loaded(previous, "undo");
  return true;
}

bool InferSession::promote() {
  const AnalyserPtr shadow = engine_.shadow().take();
  if (!shadow) return false;
  serve_from(shadow->file().string());
  {
    const std::lock_guard guard(lock_);
    settings_.shadow.clear();
  }
  engine_.models().put(shadow);
  g_object_notify(G_OBJECT(element_), "shadow");
  on_loaded(shadow, "promote");
  return true;
}

bool InferSession::mark_good(std::uint64_t pts) {
  if (engine_.marks().mark(pts)) return true;
  mark_report_.unknown(pts);
  return false;
}

void InferSession::heard(GstEvent* event) {
  const GstStructure* fields = gst_event_get_structure(event);
  if (fields == nullptr) return;
  const bool of_parts = gst_structure_has_name(fields, "uad-part");
  if (!of_parts && !gst_structure_has_name(fields, "uad-mark-good")) return;
  // one that was sent to a bin comes from each of its sinks
  const guint32 number = gst_event_get_seqnum(event);
  if (last_heard_.exchange(number) == number) return;
  if (of_parts) return parts_.heard(fields, live_);
  guint64 pts = GST_CLOCK_TIME_NONE;
  gst_structure_get_uint64(fields, "pts", &pts);
  mark_good(pts);
}

/// The file as it is now is passed over by the watch: what is in service was chosen by hand.
void InferSession::serve_from(const std::string& path) {
  const FileStamp found = stamp_of(path);
  {
    const std::lock_guard guard(lock_);
    if (settings_.model == path) return;
    settings_.model = path;
    watcher_.settle_on(found);
  }
  g_object_notify(G_OBJECT(element_), "model");
}

void InferSession::begin(bool live) {
  live_ = live;
  if (live) engine_.health().begin(std::chrono::steady_clock::now());
}

void InferSession::forget() {
  engine_.forget();
  parts_.tracker().flush();
}

void InferSession::finish() {
  engine_.health().end();
  guarded(element_, 0, [this] {
    engine_.drain(std::chrono::seconds(2));
    return 0;
  });
  parts_.tracker().finish();
}

void InferSession::end() {
  engine_.stop();
  live_ = false;
  last_verdict_ = Verdict::kUnscored;
  latency_.reset();
  parts_.tracker().reset();
}

void InferSession::add_latency(GstQuery* query, GstClockTime held) const {
  if (settings().every(true)) latency_.add_to(query, held);
}

Demand InferSession::demand(bool wanted, const InferenceOptions& options) const {
  Demand demand{wanted, options.every, options.interval, {}, {}, {}};
  if (const auto analyser = engine_.models().get()) {
    demand.model = analyser->file().string();
    demand.sha256 = analyser->model().sha256();
    demand.cutter = analyser->cutter();
  }
  return demand;
}

void InferSession::on_loaded(const AnalyserPtr& analyser, const std::string& why) {
  awaits_file_ = false;
  const double warm_up_ms = analyser->model().warm_up_ms();
  GST_INFO_OBJECT(element_, "model %s in service on %s, %s, %.1f ms a frame",
                  analyser->name().c_str(), analyser->model().device().c_str(),
                  analyser->model().precision().c_str(), warm_up_ms);
  latency_.expect(warm_up_ms);
  g_object_notify(G_OBJECT(element_), "active-device");
  if (why.empty()) return;
  post(model_changed_message(element_, analyser->file().string(), analyser->model().sha256(), why));
}

void InferSession::on_load_failed(const std::exception_ptr& reason, bool old_in_service) {
  const InferSettings now = settings();
  awaits_file_ = !old_in_service && now.watch && fault_of_file(reason, now.model);
  if (old_in_service) {
    post_warning(element_, reason, kStays);
  } else if (awaits_file_) {
    post_warning(element_, reason, "Frames stay UNSCORED until a good model file is there: ");
  } else {
    post_error(element_, reason);
  }
}

/// Where frames leave in `every`, else on the worker's thread.
void InferSession::on_analysed(const AnalysisPtr& analysis) {
  const InferSettings now = settings();
  const bool changed = analysis->verdict != last_verdict_;
  last_verdict_ = analysis->verdict;
  if (now.messages == Messages::kAll || (now.messages == Messages::kChange && changed)) {
    post(result_message(element_, *analysis, now.tags));
  }
  // whole frames are the exception with a deadline; they must not be what the stream waits for
  const bool usual = now.deadline_ms == 0 || !analysis->coverage.whole() ||
                     analysis->timings.total_ms <= now.deadline_ms;
  if (live_ && now.every(true) && usual) latency_.measured(analysis->timings.total_ms);
  parts_.tracker().result(analysis);
}

/// Once a second, on the ticker's thread.
void InferSession::tick() {
  const InferSettings now = settings();
  const auto report = engine_.health().report(std::chrono::steady_clock::now(),
                                              std::chrono::milliseconds(now.max_age_ms));
  if (report) post(health_message(element_, *report));
  if (now.watch) watch(now.model);
}

void InferSession::watch(const std::string& path) {
  const FileStamp found = stamp_of(path);
  std::unique_lock guard(lock_);
  const FileNews news = watcher_.look(found);
  guard.unlock();
  if (news == FileNews::kReplaced) load("watch");
  if (news == FileNews::kVanished && engine_.models().get()) {
    const Error gone(
        ErrorCode::kNotFound,
        "\"" + path + "\" is there no more; put a model file back or set watch=false.");
    post_warning(element_, std::make_exception_ptr(gone), kStays);
  }
}

void InferSession::post(MessagePtr message) const {
  gst_element_post_message(element_, message.release());
}

}  // namespace uad::gst

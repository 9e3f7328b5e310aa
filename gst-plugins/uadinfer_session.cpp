// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_session.h"

#include <cmath>

#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/result.h"

GST_DEBUG_CATEGORY_EXTERN(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

namespace uad::gst {

InferSession::InferSession(GstElement* element)
    : element_(element),
      engine_({{[this](const AnalyserPtr& analyser) { on_loaded(analyser); },
                [this](const std::exception_ptr& reason, bool old_in_service) {
                  on_load_failed(reason, old_in_service);
                }},
               [this](const AnalysisPtr& analysis) { on_analysed(*analysis); }}) {}

InferSettings InferSession::settings() const {
  const std::lock_guard guard(lock_);
  return settings_;
}

void InferSession::get_property(guint id, GValue* value) const {
  const std::lock_guard guard(lock_);
  infer_properties().get(settings_, id, value);
}

void InferSession::set_property(GParamSpec* spec, guint id, const GValue* value) {
  const InferSettings before = settings();
  if (!infer_properties().set(G_OBJECT(element_), spec, id, value, lock_, settings_)) return;
  if (GST_STATE(element_) >= GST_STATE_READY && !before.same_model(settings())) load();
}

void InferSession::open() {
  load();
  ticker_ = std::make_unique<Ticker>(std::chrono::seconds(1), [this] { tick(); });
}

void InferSession::close() {
  ticker_.reset();
  engine_.models().stop();
}

void InferSession::load() {
  const InferSettings wanted = settings();
  if (wanted.model.empty()) return;
  {
    const std::lock_guard guard(lock_);
    loaded_file_ = stamp_of(wanted.model);
  }
  engine_.models().load([this, wanted](const std::stop_token& stop) {
    return Analyser::load(
        backend(), wanted.model, wanted.execution(),
        [this](double done, const std::string& stage) {
          post(progress_message(element_, done, stage));
        },
        stop);
  });
}

void InferSession::begin(bool live) {
  live_ = live;
  if (live) engine_.health().begin(std::chrono::steady_clock::now());
}

void InferSession::finish() {
  engine_.health().end();
  guarded(element_, 0, [this] {
    engine_.drain(std::chrono::seconds(2));
    return 0;
  });
}

void InferSession::end() {
  engine_.stop();
  live_ = false;
  last_verdict_ = Verdict::kUnscored;
  mean_ms_ = 0;
}

void InferSession::add_latency(GstQuery* query) const {
  gboolean live = FALSE;
  GstClockTime least = 0;
  GstClockTime most = 0;
  gst_query_parse_latency(query, &live, &least, &most);
  if (!live || !settings().every(true)) return;
  least += latency_;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += latency_;
  gst_query_set_latency(query, live, least, most);
}

Demand InferSession::demand(bool wanted, const InferenceOptions& options) const {
  Demand demand{wanted, options.every, options.interval, {}, {}};
  if (const auto analyser = engine_.models().get()) {
    demand.model = analyser->file().string();
    demand.sha256 = analyser->model().sha256();
  }
  return demand;
}

std::string InferSession::active_device() const {
  const auto analyser = engine_.models().get();
  return analyser ? analyser->model().device() : "";
}

StructurePtr InferSession::stats() const {
  const StreamCounts counts = engine_.health().counts();
  const auto analyser = engine_.models().get();
  return StructurePtr(gst_structure_new(
      "uad-stats", "frames", G_TYPE_UINT64, counts.frames, "analysed", G_TYPE_UINT64,
      counts.analysed, "skipped", G_TYPE_UINT64, counts.skipped, "unscored", G_TYPE_UINT64,
      counts.unscored, "last-ms", G_TYPE_DOUBLE, counts.last_ms, "mean-ms", G_TYPE_DOUBLE,
      counts.mean_ms, "model", G_TYPE_STRING, analyser ? analyser->name().c_str() : "", "precision",
      G_TYPE_STRING, analyser ? analyser->model().precision().c_str() : "", nullptr));
}

void InferSession::on_loaded(const AnalyserPtr& analyser) {
  const double warm_up_ms = analyser->model().warm_up_ms();
  GST_INFO_OBJECT(element_, "model %s in service on %s, %s, %.1f ms a frame",
                  analyser->name().c_str(), analyser->model().device().c_str(),
                  analyser->model().precision().c_str(), warm_up_ms);
  latency_ = static_cast<GstClockTime>(warm_up_ms * GST_MSECOND);
  post(MessagePtr::adopt(gst_message_new_latency(GST_OBJECT(element_))));
  g_object_notify(G_OBJECT(element_), "active-device");
}

void InferSession::on_load_failed(const std::exception_ptr& reason, bool old_in_service) {
  if (old_in_service) {
    post_warning(element_, reason, "The model in service stays: ");
  } else {
    post_error(element_, reason);
  }
}

/// On the streaming thread in `every`, else on the worker's.
void InferSession::on_analysed(const Analysis& analysis) {
  const InferSettings now = settings();
  const bool changed = analysis.verdict != last_verdict_;
  last_verdict_ = analysis.verdict;
  if (now.messages == Messages::kAll || (now.messages == Messages::kChange && changed)) {
    post(result_message(element_, analysis, now.tags));
  }
  if (live_ && now.every(true)) update_latency(analysis.timings.total_ms);
}

void InferSession::update_latency(double total_ms) {
  constexpr double kSmoothing = 0.05;
  constexpr double kWorthTelling = 0.1;
  mean_ms_ += (total_ms - mean_ms_) * (mean_ms_ > 0 ? kSmoothing : 1);
  const double told = static_cast<double>(latency_.load());
  if (std::abs(mean_ms_ * GST_MSECOND - told) <= kWorthTelling * told) return;
  latency_ = static_cast<GstClockTime>(mean_ms_ * GST_MSECOND);
  post(MessagePtr::adopt(gst_message_new_latency(GST_OBJECT(element_))));
}

/// Once a second, on the ticker's thread.
void InferSession::tick() {
  const InferSettings now = settings();
  const auto report = engine_.health().report(std::chrono::steady_clock::now(),
                                              std::chrono::milliseconds(now.max_age_ms));
  if (report) post(health_message(element_, *report));
  if (!now.watch) return;
  const FileStamp found = stamp_of(now.model);
  std::unique_lock guard(lock_);
  const bool replaced = found.bytes >= 0 && found != loaded_file_;
  guard.unlock();
  if (replaced) load();
}

void InferSession::post(MessagePtr message) const {
  gst_element_post_message(element_, message.release());
}

}  // namespace uad::gst

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadtrain_session.h"

#include <string>
#include <utility>

#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/result.h"

namespace uad::gst {

using Clock = std::chrono::steady_clock;

TrainSession::TrainSession(GstElement* element)
    : element_(element),
      engine_({[this](double fraction, const std::string& stage) { on_progress(fraction, stage); },
               [this](const std::string& name, double value) { on_figure(name, value); },
               [this](const MemoryForecast& forecast) { on_forecast(forecast); },
               [this](std::size_t frames) { on_full(frames); },
               [this](const Trained& trained) { on_ready(trained); },
               [this](const std::exception_ptr& reason) { on_failed(reason); }}) {}

TrainSettings TrainSession::settings() const {
  const std::lock_guard guard(lock_);
  return settings_;
}

void TrainSession::get_property(guint id, GValue* value) const {
  const std::lock_guard guard(lock_);
  train_properties().get(settings_, id, value);
}

void TrainSession::set_property(GParamSpec* spec, guint id, const GValue* value) {
  const bool before = settings().collect;
  if (!train_properties().set(G_OBJECT(element_), spec, id, value, lock_, settings_)) return;
  if (GST_STATE(element_) > GST_STATE_READY) follow_collect(before, settings().collect);
}

void TrainSession::open() {
  const TrainSettings now = settings();
  now.check();
  engine_.start(now.plan(), [options = now.trainer()] { return backend().make_trainer(options); });
}

void TrainSession::close() { engine_.stop(); }

void TrainSession::collect(bool now) {
  bool before = false;
  {
    const std::lock_guard guard(lock_);
    before = std::exchange(settings_.collect, now);
  }
  follow_collect(before, now);
  g_object_notify(G_OBJECT(element_), "collect");
}

void TrainSession::follow_collect(bool before, bool after) {
  if (before && !after) engine_.finish_collecting();
  if (!before && after) engine_.collect_more();
}

bool TrainSession::wants_next(bool live) { return settings().collect && engine_.wants_next(!live); }

void TrainSession::finish() {
  eos_waits_ = settings().hold_eos;  // before the fit may fail, which then is an error
  const LearningStage stage = engine_.stage();
  if (stage == LearningStage::kPreparing || stage == LearningStage::kCollecting) {
    engine_.finish_collecting();
  }
  if (!eos_waits_) return;
  engine_.wait();
  eos_waits_ = false;
}

StructurePtr TrainSession::stats() const {
  const LearningCounts counts = engine_.counts();
  return StructurePtr(gst_structure_new(
      "uad-train-stats", "stage", G_TYPE_STRING, std::string(to_string(engine_.stage())).c_str(),
      "offered", G_TYPE_UINT64, counts.offered, "kept", G_TYPE_UINT64, counts.kept, "duplicates",
      G_TYPE_UINT64, counts.duplicates, "missed", G_TYPE_UINT64, counts.missed, nullptr));
}

/// At most five a second, and the last.
void TrainSession::on_progress(double fraction, const std::string& stage) {
  const auto now = Clock::now();
  if (fraction <= 0 || fit_began_ == Clock::time_point()) {
    fit_began_ = now;
    figure_ = {};
  }
  if (fraction < 1 && now - told_ < std::chrono::milliseconds(200)) return;
  told_ = now;
  const double passed = std::chrono::duration<double>(now - fit_began_).count();
  const double left = fraction > 0.01 ? passed * (1 - fraction) / fraction : -1;
  GstStructure* message =
      gst_structure_new("uad-progress", "stage", G_TYPE_STRING, stage.c_str(), "fraction",
                        G_TYPE_DOUBLE, fraction, "eta-s", G_TYPE_DOUBLE, left, nullptr);
  if (!figure_.first.empty()) {
    gst_structure_set(message, figure_.first.c_str(), G_TYPE_DOUBLE, figure_.second, nullptr);
  }
  post(message);
}

void TrainSession::on_figure(const std::string& name, double value) { figure_ = {name, value}; }

void TrainSession::on_forecast(const MemoryForecast& forecast) {
  const TrainSettings now = settings();
  post(gst_structure_new("uad-train-forecast", "budget-mb", G_TYPE_INT, now.memory_budget_mb,
                         "room-frames", G_TYPE_UINT64, static_cast<guint64>(forecast.frames),
                         nullptr));
  if (now.frames > 0 && forecast.frames < static_cast<std::size_t>(now.frames)) {
    GST_ELEMENT_WARNING(
        element_, RESOURCE, NO_SPACE_LEFT,
        ("memory-budget=%d has room for %zu frames, but frames is %d: the fit will begin with %zu. "
         "Raise memory-budget to use all.",
         now.memory_budget_mb, forecast.frames, now.frames, forecast.frames),
        (nullptr));
  }
}

void TrainSession::on_full(std::size_t frames) {
  GST_ELEMENT_INFO(element_, RESOURCE, NO_SPACE_LEFT,
                   ("memory-budget=%d is full with %zu frames: the fit begins.",
                    settings().memory_budget_mb, frames),
                   (nullptr));
}

void TrainSession::on_ready(const Trained& trained) {
  const Manifest& manifest = trained.manifest;
  const LearningCounts counts = engine_.counts();
  post(gst_structure_new("uad-model-ready", "path", G_TYPE_STRING, settings().output.c_str(),
                         "sha256", G_TYPE_STRING, trained.sha256.c_str(), "frames", G_TYPE_UINT64,
                         static_cast<guint64>(manifest.training.images), "duplicates",
                         G_TYPE_UINT64, counts.duplicates, "warn-threshold", G_TYPE_DOUBLE,
                         manifest.thresholds.warn, "reject-threshold", G_TYPE_DOUBLE,
                         manifest.thresholds.image.thr, "threshold-rule", G_TYPE_STRING,
                         manifest.threshold_origin.rule.c_str(), nullptr));
  fit_began_ = {};
}

/// While video plays, a failed training must not stop the line; before the first frame, and when
/// the stream only waits for the model, there is nothing else to go on for.
void TrainSession::on_failed(const std::exception_ptr& reason) {
  fit_began_ = {};
  if (eos_waits_ || engine_.counts().kept == 0) return post_error(element_, reason);
  post_warning(element_, reason, "The video goes on without a new model: ");
}

void TrainSession::post(GstStructure* structure) const {
  gst_element_post_message(element_, element_message(element_, structure).release());
}

}  // namespace uad::gst

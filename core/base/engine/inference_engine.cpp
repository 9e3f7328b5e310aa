// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/inference_engine.h"

#include <limits>
#include <utility>

namespace uad {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kNever = std::numeric_limits<int>::max();  // the first frame is always due

InferenceEngine::InferenceEngine(Events events)
    : analysed_(std::move(events.analysed)),
      model_may_come_(std::move(events.model_may_come)),
      passing_(std::move(events.passing)),
      models_(std::move(events.model)),
      frames_since_taken_(kNever),
      shadow_(std::move(events.shadow)),
      marks_(std::move(events.marks)),
      worker_([this](const AnalysisPtr& analysis) { finish(analysis); }) {}

std::optional<Shown> InferenceEngine::analyse(const FrameInput& frame,
                                              const InferenceOptions& options) {
  const AnalyserPtr newest = options.every ? models_.wait() : models_.get();
  const bool may_come = model_may_come_ && model_may_come_();
  if (!newest && !may_come && (options.every || models_.gave_up())) return std::nullopt;
  const bool taken = newest && take(frame, options);
  if (passing_) passing_(frame.capture, taken);
  if (taken) {
    auto job = job_for(frame, model_for(frame, newest), options);
    if (options.every) {
      latest_ = job();
      finish(latest_);
    } else {
      worker_.submit(std::move(job));
    }
  }
  const char* absent = models_.gave_up() ? "waiting for model" : "loading model";
  const Shown shown = show(options.every ? latest_ : worker_.latest(), frame.capture,
                           options.max_age, newest ? "no result yet" : absent);
  health_.frame(frame.capture.arrival, taken, shown.verdict != Verdict::kUnscored);
  return shown;
}

LatestWorker::Job InferenceEngine::job_for(const FrameInput& frame, const AnalyserPtr& analyser,
                                           const InferenceOptions& options) {
  const auto start = Clock::now();
  TileBatchPtr tiles = frame.tiles ? frame.tiles : frame.cut(*analyser);
  const double cut_ms =
      frame.tiles ? 0 : std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  auto rival =
      shadow_.prepare(*analyser, tiles, frame.tiles ? nullptr : frame.cut, options.overrides);
  return [this, analyser, tiles = std::move(tiles), capture = frame.capture, options, cut_ms,
          rival = std::move(rival)] {
    AnalysisPtr analysis =
        analyser->analyse(*tiles, capture, options.overrides, cut_ms, options.product);
    if (rival) shadow_.compare(*rival, analysis);
    marks_.remember(analysis, tiles);
    return analysis;
  };
}

AnalyserPtr InferenceEngine::model_for(const FrameInput& frame, const AnalyserPtr& newest) {
  const bool cut_for_the_old =
      frame.tiles && serving_ && !newest->fits(*frame.tiles) && serving_->fits(*frame.tiles);
  if (!cut_for_the_old) serving_ = newest;
  return serving_;
}

bool InferenceEngine::take(const FrameInput& frame, const InferenceOptions& options) {
  ++frames_since_taken_;
  // uadpreproc counts the interval itself, so that a queue in between cannot put the two out of
  // step
  const bool due =
      frame.cut_upstream ? frame.tiles != nullptr : frames_since_taken_ >= options.interval;
  if (!due) return false;
  if (!options.every) {
    if (!frame.tiles && !worker_.free_by(Clock::now() + frame.duration)) return false;
    skipped_last_ = skip_one_.exchange(false) && !skipped_last_;
    if (skipped_last_) return false;
  }
  frames_since_taken_ = 0;
  return true;
}

bool InferenceEngine::wants_next(const FrameInput& frame, const InferenceOptions& options) {
  if (options.every) return true;
  return models_.get() && worker_.free_by(Clock::now() + 2 * frame.duration);
}

void InferenceEngine::finish(const AnalysisPtr& analysis) {
  health_.analysed(analysis->timings.total_ms);
  if (analysed_) analysed_(analysis);
}

void InferenceEngine::drain(std::chrono::milliseconds limit) {
  const auto start = Clock::now();
  worker_.drain(limit);
  shadow_.drain(limit -
                std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start));
}

void InferenceEngine::interrupt() {
  models_.interrupt();
  worker_.forget();
  shadow_.forget();
}

void InferenceEngine::forget() {
  latest_.reset();
  worker_.forget();
  shadow_.forget();
}

void InferenceEngine::stop() {
  worker_.stop();
  shadow_.stop();
  marks_.stop();
  latest_.reset();
  serving_.reset();
  health_.reset();
  skip_one_ = false;
  skipped_last_ = false;
  frames_since_taken_ = kNever;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/inference_engine.h"

#include <limits>
#include <utility>

#include "core/base/milliseconds.h"

namespace uad {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kNever = std::numeric_limits<int>::max();  // the first frame is always due

InferenceEngine::InferenceEngine(Events events, std::shared_ptr<Batchers> batchers)
    : analysed_(std::move(events.analysed)),
      model_may_come_(std::move(events.model_may_come)),
      passing_(std::move(events.passing)),
      undivided_(std::move(events.undivided)),
      models_(std::move(events.model)),
      frames_since_taken_(kNever),
      batchers_(std::move(batchers)),
      shadow_(std::move(events.shadow)),
      marks_(std::move(events.marks)),
      worker_([this](const AnalysisPtr& analysis) { report(analysis); }) {}

std::optional<Shown> InferenceEngine::analyse(const FrameInput& frame,
                                              const InferenceOptions& options) {
  std::optional<PendingFrame> pending = take_in(frame, options);
  if (!pending) return std::nullopt;
  if (options.every) {
    hand_over(*pending);
    return finish(std::move(*pending));
  }
  if (pending->job) {
    worker_.submit([this, job = *pending]() mutable {
      hand_over(job);
      return conclude(job);
    });
  }
  return let_out(*pending, worker_.latest());
}

std::optional<PendingFrame> InferenceEngine::begin(const FrameInput& frame,
                                                   const InferenceOptions& options) {
  std::optional<PendingFrame> pending = take_in(frame, options);
  if (pending) hand_over(*pending);
  return pending;
}

std::optional<Shown> InferenceEngine::finish(PendingFrame frame) {
  if (frame.job) {
    const AnalysisPtr analysis = conclude(frame);
    if (!analysis) return std::nullopt;
    set_latest(analysis);
    report(analysis);
  }
  return let_out(frame, latest());
}

std::optional<PendingFrame> InferenceEngine::take_in(const FrameInput& frame,
                                                     const InferenceOptions& options) {
  const AnalyserPtr newest = options.every ? models_.wait() : models_.get();
  const bool may_come = model_may_come_ && model_may_come_();
  if (!newest && !may_come && (options.every || models_.gave_up())) return std::nullopt;
  const bool taken = newest && take(frame, options);
  const std::uint64_t scene = passing_ ? passing_(frame.capture, taken) : 0;
  PendingFrame pending{frame.capture, options, std::nullopt, "no result yet"};
  if (!newest) pending.absent = models_.gave_up() ? "waiting for model" : "loading model";
  if (taken) {
    pending.job = job_for(frame, model_for(frame, newest), options);
    pending.job->scene = scene;
  }
  return pending;
}

FrameJob InferenceEngine::job_for(const FrameInput& frame, const AnalyserPtr& analyser,
                                  const InferenceOptions& options) {
  const auto start = Clock::now();
  FrameJob job;
  job.analyser = analyser;
  job.tiles = frame.tiles ? frame.tiles : frame.cut(*analyser);
  if (!frame.tiles) job.cut_ms = milliseconds_since(start);
  job.rival =
      shadow_.prepare(*analyser, job.tiles, frame.tiles ? nullptr : frame.cut, options.overrides);
  if (!seat_ || batcher_->model() != analyser->shared_model()) {
    batcher_ = batchers_->of(analyser->shared_model());
    seat_ = std::make_shared<Batcher::Seat>(batcher_);
    keeper_.reset();
    undivided_told_ = false;
  }
  job.seat = seat_;
  job.keeper = keeper_for(*job.tiles, *analyser, options.deadline);
  return job;
}

std::shared_ptr<WindowKeeper> InferenceEngine::keeper_for(const TileBatch& tiles,
                                                          const Analyser& analyser,
                                                          const DeadlineOptions& deadline) {
  const bool wanted = deadline.time.count() > 0;
  const bool divided = tiles.plan().origins.size() > 1 && WindowKeeper::serves(analyser.model());
  if (wanted && !divided && undivided_ && !std::exchange(undivided_told_, true)) {
    undivided_(Error(
        ErrorCode::kBadOption,
        "The model \"" + analyser.name() + "\" looks at the whole frame as one window of " +
            to_string(tiles.plan().tile) +
            ", so there is nothing to leave out: each frame takes as long as it takes. Train with "
            "a window smaller than the resized image (uad train --window), or set deadline=0."));
  }
  if (!wanted || !divided) {
    keeper_.reset();
  } else if (!keeper_) {
    keeper_ = std::make_shared<WindowKeeper>(analyser.shared_model());
  }
  return keeper_;
}

void InferenceEngine::hand_over(PendingFrame& frame) {
  if (!frame.job) return;
  FrameJob& job = *frame.job;
  const InferenceOptions& options = frame.options;
  job.coverage = std::make_shared<Coverage>(Coverage::of_all(job.tiles->plan().origins.size()));
  if (job.keeper) {
    job.ticket = job.seat->submit_alone(
        [keeper = job.keeper, coverage = job.coverage,
         wanted = KeeperFrame{job.tiles, options.product, frame.capture, job.scene,
                              options.deadline, options.overrides}] {
          KeptOutput found = keeper->analyse(wanted);
          *coverage = found.coverage;
          return std::move(found.output);
        });
  } else {
    job.ticket = job.seat->submit(job.tiles, options.product, options.batch);
  }
  if (options.every) in_flight_.add(job.ticket);
}

/// @return null if it was abandoned.
AnalysisPtr InferenceEngine::conclude(PendingFrame& frame) {
  FrameJob& job = *frame.job;
  std::optional<Batcher::Result> found = job.ticket->wait();
  if (!found) return nullptr;
  const auto too_old = std::chrono::nanoseconds(frame.options.max_age).count();
  job.coverage->stale = job.coverage->oldest_ns > static_cast<std::uint64_t>(too_old);
  AnalysisPtr analysis =
      job.analyser->judge(std::move(found->output), found->started, frame.capture,
                          frame.options.overrides, job.cut_ms, *job.coverage);
  if (job.keeper) job.keeper->judged(analysis->timings.judge_ms);
  // a frame of which some windows were not looked at says nothing about the rival
  if (job.rival && job.coverage->whole()) shadow_.compare(*job.rival, analysis);
  marks_.remember(analysis, job.tiles);
  return analysis;
}

AnalysisPtr InferenceEngine::latest() {
  const std::lock_guard guard(latest_lock_);
  return latest_;
}

void InferenceEngine::set_latest(AnalysisPtr analysis) {
  const std::lock_guard guard(latest_lock_);
  latest_ = std::move(analysis);
}

Shown InferenceEngine::let_out(const PendingFrame& frame, const AnalysisPtr& newest) {
  const Shown shown = show(newest, frame.capture, frame.options.max_age, frame.absent);
  health_.frame(frame.capture.arrival, frame.job.has_value(), shown.verdict != Verdict::kUnscored);
  return shown;
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

void InferenceEngine::report(const AnalysisPtr& analysis) {
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
  in_flight_.interrupt();
  worker_.forget();
  shadow_.forget();
}

void InferenceEngine::resume() {
  models_.resume();
  in_flight_.resume();
}

void InferenceEngine::forget() {
  set_latest(nullptr);
  keeper_.reset();
  worker_.forget();
  shadow_.forget();
}

void InferenceEngine::stop() {
  worker_.stop();
  shadow_.stop();
  marks_.stop();
  set_latest(nullptr);
  serving_.reset();
  seat_.reset();
  keeper_.reset();
  in_flight_.resume();
  health_.reset();
  skip_one_ = false;
  skipped_last_ = false;
  frames_since_taken_ = kNever;
}

void InferenceEngine::close() {
  models_.stop();
  batcher_.reset();
}

}  // namespace uad

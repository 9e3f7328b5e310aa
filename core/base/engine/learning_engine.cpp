// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/learning_engine.h"

#include <utility>

#include <fmt/format.h>

#include "core/base/engine/niceness.h"
#include "core/base/error.h"

namespace uad {
namespace {

bool is_cancelled(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const Error& error) {
    return error.code() == ErrorCode::kCancelled;
  } catch (...) {
    return false;
  }
}

}  // namespace

std::string_view to_string(LearningStage stage) {
  switch (stage) {
    case LearningStage::kIdle:
      return "idle";
    case LearningStage::kPreparing:
      return "preparing";
    case LearningStage::kCollecting:
      return "collecting";
    case LearningStage::kFitting:
      return "fitting";
    case LearningStage::kReady:
      return "ready";
    case LearningStage::kFailed:
      return "failed";
    case LearningStage::kCancelled:
      break;
  }
  return "cancelled";
}

void LearningEngine::start(LearningPlan plan, MakeTrainer make) {
  stop();
  const std::lock_guard guard(lock_);
  plan_ = std::move(plan);
  make_ = std::move(make);
  wanted_ = plan_.frames;
  stage_ = LearningStage::kPreparing;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void LearningEngine::stop() {
  cancel();
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  const std::lock_guard guard(lock_);
  trainer_.reset();
  counts_ = {};
  stage_ = LearningStage::kIdle;
  enough_ = more_ = full_ = interrupted_ = false;
}

bool LearningEngine::wants_next(bool wait) {
  std::unique_lock guard(lock_);
  ++counts_.offered;
  if (wait) {
    changed_.wait(guard, [this] { return stage_ != LearningStage::kPreparing || interrupted_; });
  }
  if (enough_ || (counts_.offered - 1) % plan_.every != 0) return false;
  if (stage_ == LearningStage::kPreparing) ++counts_.missed;
  return stage_ == LearningStage::kCollecting;
}

void LearningEngine::take(const FrameView& frame) {
  std::shared_ptr<Trainer> trainer;
  {
    const std::lock_guard guard(lock_);
    if (stage_ != LearningStage::kCollecting || enough_) return;
    trainer = trainer_;
    adding_ = true;
  }
  const auto done = [this](LearningEngine*) {
    const std::lock_guard guard(lock_);
    adding_ = false;
    changed_.notify_all();
  };
  const std::unique_ptr<LearningEngine, decltype(done)> also_if_it_throws(this, done);
  const Collected collected = trainer->add(frame);
  const std::lock_guard guard(lock_);
  if (collected == Collected::kKept) ++counts_.kept;
  if (collected == Collected::kDuplicate) ++counts_.duplicates;
  full_ = full_ || collected == Collected::kFull;
  if (full_ || (wanted_ > 0 && counts_.kept >= wanted_)) enough_ = true;
  changed_.notify_all();
}

void LearningEngine::finish_collecting() {
  const std::lock_guard guard(lock_);
  enough_ = true;
  more_ = false;
  changed_.notify_all();
}

void LearningEngine::collect_more() {
  const std::lock_guard guard(lock_);
  const bool resting = stage_ == LearningStage::kReady || stage_ == LearningStage::kFailed ||
                       stage_ == LearningStage::kCancelled;
  if (resting && trainer_) begin_collection();
  if (stage_ == LearningStage::kFitting) more_ = true;
}

/// Called with lock_ held.
void LearningEngine::begin_collection() {
  wanted_ = plan_.frames > 0 ? counts_.kept + plan_.frames : 0;
  more_ = false;
  stage_ = LearningStage::kCollecting;
  changed_.notify_all();
}

void LearningEngine::finish_early() {
  const std::lock_guard guard(lock_);
  if (stage_ == LearningStage::kFitting) early_.request_stop();
  if (stage_ == LearningStage::kCollecting) enough_ = true;
  changed_.notify_all();
}

void LearningEngine::cancel() {
  const std::lock_guard guard(lock_);
  fit_.request_stop();
}

void LearningEngine::wait() const {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] {
    const bool busy = stage_ == LearningStage::kPreparing || stage_ == LearningStage::kFitting ||
                      (stage_ == LearningStage::kCollecting && enough_);
    return !busy || interrupted_;
  });
}

LearningStage LearningEngine::stage() const {
  const std::lock_guard guard(lock_);
  return stage_;
}

LearningCounts LearningEngine::counts() const {
  const std::lock_guard guard(lock_);
  return counts_;
}

void LearningEngine::set_interrupted(bool interrupted) {
  const std::lock_guard guard(lock_);
  interrupted_ = interrupted;
  changed_.notify_all();
}

void LearningEngine::run(const std::stop_token& stop) {
  be_nice(kBackgroundNiceness);  // before the trainer is made, whose parallel threads inherit it
  if (!prepare()) return;
  std::unique_lock guard(lock_);
  if (!changed_.wait(guard, stop, [this] { return counts_.kept > 0 || enough_; })) return;
  guard.unlock();
  foresee();
  while (true) {
    guard.lock();
    if (!changed_.wait(guard, stop, [this] { return enough_ && !adding_; })) return;
    fit_ = std::stop_source();
    early_ = std::stop_source();
    const bool full = std::exchange(full_, false);
    const std::size_t kept = counts_.kept;
    guard.unlock();
    if (full && events_.full) events_.full(kept);
    const std::stop_callback pass_on(stop, [this] { cancel(); });
    fit();
  }
}

/// @return false if there is no trainer to go on with.
bool LearningEngine::prepare() {
  try {
    std::shared_ptr<Trainer> made = make_();
    const std::lock_guard guard(lock_);
    trainer_ = std::move(made);
    stage_ = LearningStage::kCollecting;
    changed_.notify_all();
    return true;
  } catch (...) {
    fail(std::current_exception());
    return false;
  }
}

void LearningEngine::foresee() {
  if (counts().kept == 0) return;
  try {
    const MemoryForecast forecast = trainer_->forecast();
    if (events_.forecast) events_.forecast(forecast);
  } catch (...) {
    fail(std::current_exception());
  }
}

void LearningEngine::fit() {
  enter(LearningStage::kFitting);
  const FitControl control{events_.progress, events_.figure, fit_.get_token(), early_.get_token()};
  try {
    if (const std::size_t frames = trainer_->frames(); frames < 2) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Training needs at least 2 good frames, but {} was collected of {} "
                              "that passed. Let more frames pass, or set every and "
                              "min-difference lower.",
                              frames, counts().offered));
    }
    const Trained trained = trainer_->fit(plan_.output, control);
    // Told before wait() returns, so that the model is announced before what follows it.
    if (events_.ready) events_.ready(trained);
    enter(LearningStage::kReady);
  } catch (...) {
    fail(std::current_exception());
  }
}

/// A stage that the engine rests in takes no more frames until finish_collecting().
void LearningEngine::enter(LearningStage stage) {
  const std::lock_guard guard(lock_);
  stage_ = stage;
  if (stage != LearningStage::kFitting) {
    enough_ = false;
    if (more_) begin_collection();
  }
  changed_.notify_all();
}

void LearningEngine::fail(std::exception_ptr reason) {
  const bool cancelled = is_cancelled(reason);
  if (!cancelled && events_.failed) events_.failed(std::move(reason));
  enter(cancelled ? LearningStage::kCancelled : LearningStage::kFailed);
}

}  // namespace uad

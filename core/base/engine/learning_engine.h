// SPDX-License-Identifier: LGPL-2.1-or-later
// Collects good frames from a stream and fits a model to them beside it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

#include "core/base/backend.h"

namespace uad {

struct LearningPlan {
  std::size_t frames = 0;   ///< to keep in each collection; 0 = until finish_collecting()
  std::uint64_t every = 1;  ///< of the frames offered, the n-th
  std::filesystem::path output;
};

enum class LearningStage {
  kIdle,        ///< not started, or stopped
  kPreparing,   ///< the trainer is being made
  kCollecting,  ///< frames are wanted
  kFitting,
  kReady,      ///< the model is written
  kFailed,     ///< told
  kCancelled,  ///< the frames are kept: finish_collecting() goes on with the fit
};
std::string_view to_string(LearningStage stage);

struct LearningCounts {
  std::uint64_t offered = 0;
  std::uint64_t kept = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t missed = 0;  ///< live frames that came while the trainer was being made
};

/// One thread of its own makes the trainer, foresees the memory and fits; the stream only copies
/// frames. @note Thread-safe, except start() and stop(), which belong to the owner.
class LearningEngine {
 public:
  /// Called on the engine's thread, with no lock held.
  struct Events {
    ProgressFn progress;
    FigureFn figure;
    std::function<void(const MemoryForecast&)> forecast;
    std::function<void(std::size_t frames)> full;  ///< the budget ended the collection early
    std::function<void(const Trained&)> ready;
    std::function<void(std::exception_ptr reason)> failed;
  };
  using MakeTrainer = std::function<std::unique_ptr<Trainer>()>;

  explicit LearningEngine(Events events) : events_(std::move(events)) {}
  ~LearningEngine() { stop(); }
  LearningEngine(const LearningEngine&) = delete;
  LearningEngine& operator=(const LearningEngine&) = delete;

  void start(LearningPlan plan, MakeTrainer make);
  /// Cancels, waits for the thread to end, forgets the frames.
  void stop();

  /// Counts a frame. @param wait  for the trainer, as a stream that is not live may.
  /// @return whether to take() this one.
  bool wants_next(bool wait);
  /// Keeps a copy of the frame. @throws Error
  void take(const FrameView& frame);
  /// Frames are enough; the fit begins. Again after a cancelled or failed fit.
  void finish_collecting();
  /// After a model, a failure or a cancelled fit, or once the one at work has come to it: frames
  /// are wanted again, beside those kept. The next fit learns from all.
  void collect_more();
  /// A fit ends soon with the model of what it has seen; a collection ends, and its fit begins.
  void finish_early();
  /// The fit ends soon without a model.
  void cancel();

  /// Waits until there is nothing to wait for: a model, a failure, a cancelled fit, or interrupt().
  void wait() const;
  /// Wakes wants_next() and wait(), now and from now on; resume() makes them wait again.
  void interrupt() { set_interrupted(true); }
  void resume() { set_interrupted(false); }

  [[nodiscard]] LearningStage stage() const;
  [[nodiscard]] LearningCounts counts() const;

 private:
  void set_interrupted(bool interrupted);
  void begin_collection();
  void run(const std::stop_token& stop);
  bool prepare();
  void foresee();
  void fit();
  void enter(LearningStage stage);
  void fail(std::exception_ptr reason);

  Events events_;
  mutable std::mutex lock_;  // guards everything below, except thread_
  mutable std::condition_variable_any changed_;
  LearningPlan plan_;
  MakeTrainer make_;
  std::shared_ptr<Trainer> trainer_;  // shared by the stream and the engine's thread
  LearningStage stage_ = LearningStage::kIdle;
  LearningCounts counts_;
  std::size_t wanted_ = 0;  // frames kept when the collection ends; 0 = no number
  bool enough_ = false;     // the next fit is wanted
  bool more_ = false;       // after this fit, another collection
  bool full_ = false;
  bool adding_ = false;  // the stream is in add(): no fit begins
  bool interrupted_ = false;
  std::stop_source fit_;
  std::stop_source early_;
  std::jthread thread_;
};

}  // namespace uad

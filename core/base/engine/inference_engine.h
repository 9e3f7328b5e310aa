// SPDX-License-Identifier: LGPL-2.1-or-later
// Behind uadinfer: which frames are analysed, on which thread, and what every frame may say.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

#include "core/base/engine/analyser.h"
#include "core/base/engine/good_marks.h"
#include "core/base/engine/latest_worker.h"
#include "core/base/engine/load_slot.h"
#include "core/base/engine/shadow_worker.h"
#include "core/base/results/health.h"

namespace uad {

struct InferenceOptions {
  bool every = true;  ///< true: each frame leaves with its own result; false: the latest there is
  int interval = 1;   ///< analyse at most every n-th frame
  std::chrono::milliseconds max_age{1000};  ///< older results become UNSCORED
  ThresholdOverrides overrides;
  std::string product;  ///< that frames show, see Model::analyse()
};

/// One frame as the engine sees it.
struct FrameInput {
  Capture capture;
  TileBatchPtr tiles;         ///< cut upstream; null = none came with this frame
  bool cut_upstream = false;  ///< somebody upstream cuts; a frame without tiles is left out
  std::chrono::nanoseconds duration{0};  ///< time to the next frame; 0 = unknown
  /// Cuts this frame for the model; called at most once, before analyse() returns.
  std::function<TileBatchPtr(const Analyser&)> cut;
};

/// @note analyse(), wants_next(), drain() and forget() on the streaming thread; the rest
/// thread-safe.
class InferenceEngine {
 public:
  struct Events {
    LoadSlot<Analyser>::Events model;                  ///< on the loader thread
    std::function<void(const AnalysisPtr&)> analysed;  ///< streaming or worker thread
    ShadowWorker::Events shadow;
    GoodMarks::Events marks;
    /// Streaming thread: a load failed, but a later one may not, so frames pass UNSCORED until
    /// then. Empty = never.
    std::function<bool()> model_may_come;
    /// Streaming thread: each frame before its analysis, and whether it is handed over to one.
    std::function<void(const Capture&, bool taken)> passing;
  };

  explicit InferenceEngine(Events events);

  /// The model in service and the one that is being loaded.
  [[nodiscard]] LoadSlot<Analyser>& models() noexcept { return models_; }
  [[nodiscard]] const LoadSlot<Analyser>& models() const noexcept { return models_; }
  /// The model that is compared with the one in service.
  [[nodiscard]] ShadowWorker& shadow() noexcept { return shadow_; }
  [[nodiscard]] const ShadowWorker& shadow() const noexcept { return shadow_; }
  /// Judged frames that somebody may call good.
  [[nodiscard]] GoodMarks& marks() noexcept { return marks_; }
  [[nodiscard]] Health& health() noexcept { return health_; }
  [[nodiscard]] const Health& health() const noexcept { return health_; }

  /// Tiles that were cut for the model before the newest are judged by that one, until tiles for
  /// the newest arrive.
  /// The shadow, if there is one, gets the same frame once its analysis is done.
  /// @return nullopt if there is no model and none to come (failed or interrupted).
  /// @throws Error, also what an earlier analysis of the worker threw.
  std::optional<Shown> analyse(const FrameInput& frame, const InferenceOptions& options);

  /// Whether tiles of the next frame would be used.
  [[nodiscard]] bool wants_next(const FrameInput& frame, const InferenceOptions& options);

  /// Video is late downstream: leave out the next analysis, but never two in a row.
  void skip_one() { skip_one_ = true; }

  /// End of stream: waits until what was taken is analysed, at most `limit`.
  /// @throws Error what the analysis threw.
  void drain(std::chrono::milliseconds limit);
  /// Wakes analyse() and drain() from any thread; models().resume() makes analyse() wait again.
  void interrupt();
  /// After a flush or with other caps: earlier results do not belong to what comes.
  void forget();
  /// Ends the worker; the model stays. The engine is as new, apart from it.
  void stop();

 private:
  AnalyserPtr model_for(const FrameInput& frame, const AnalyserPtr& newest);
  bool take(const FrameInput& frame, const InferenceOptions& options);
  LatestWorker::Job job_for(const FrameInput& frame, const AnalyserPtr& analyser,
                            const InferenceOptions& options);
  void finish(const AnalysisPtr& analysis);

  std::function<void(const AnalysisPtr&)> analysed_;
  std::function<bool()> model_may_come_;
  std::function<void(const Capture&, bool taken)> passing_;
  Health health_;
  LoadSlot<Analyser> models_;
  std::atomic<bool> skip_one_{false};
  bool skipped_last_ = false;
  std::int64_t frames_since_taken_;
  AnalyserPtr serving_;
  AnalysisPtr latest_;  // in `every`; the worker keeps its own
  ShadowWorker shadow_;
  GoodMarks marks_;
  LatestWorker worker_;  // after shadow_ and marks_, which its jobs reach for
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Behind uadinfer: which frames are analysed, on which thread, and what every frame may say.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "core/base/engine/analyser.h"
#include "core/base/engine/batcher.h"
#include "core/base/engine/good_marks.h"
#include "core/base/engine/in_flight.h"
#include "core/base/engine/latest_worker.h"
#include "core/base/engine/load_slot.h"
#include "core/base/engine/shadow_worker.h"
#include "core/base/engine/window_keeper.h"
#include "core/base/error.h"
#include "core/base/results/health.h"

namespace uad {

struct InferenceOptions {
  bool every = true;  ///< true: each frame leaves with its own result; false: the latest there is
  int interval = 1;   ///< analyse at most every n-th frame
  std::chrono::milliseconds max_age{1000};  ///< older results become UNSCORED
  ThresholdOverrides overrides;
  std::string product;  ///< that frames show, see Model::analyse()
  BatchLimits batch;    ///< with other frames of the same model; not with a deadline
  DeadlineOptions deadline;
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

/// A frame on its way through the network.
struct FrameJob {
  AnalyserPtr analyser;
  TileBatchPtr tiles;
  double cut_ms = 0;
  std::optional<ShadowWorker::Rival> rival;
  std::shared_ptr<Batcher::Seat> seat;   // shared with the frames that follow
  std::shared_ptr<WindowKeeper> keeper;  // the same; null = the frame is analysed whole
  std::uint64_t scene = 0;
  Batcher::TicketPtr ticket;           // null = not handed over yet
  std::shared_ptr<Coverage> coverage;  // shared with the network's thread, which writes it first
};

/// A frame that the engine has taken in and not let go of yet.
struct PendingFrame {
  Capture capture;
  InferenceOptions options;
  std::optional<FrameJob> job;  ///< none = it is not analysed
  const char* absent = "";      ///< the note where there is no result
};

/// In `every` a frame can be analysed in two steps, so that several are on their way at once:
/// begin() takes it in and hands it over to the network, finish() waits for its result. Both want
/// the frames in their order.
/// @note analyse(), begin(), wants_next() and drain() on the streaming thread; finish() on one
/// thread at a time; forget() on the streaming thread or while it rests; the rest thread-safe.
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
    /// @return the number of what the frame shows: its part. Earlier frames with another number
    /// say nothing about it.
    std::function<std::uint64_t(const Capture&, bool taken)> passing;
    /// Streaming thread, once for each model: the deadline leaves nothing to choose, and why.
    std::function<void(const Error&)> undivided;
  };

  /// @param batchers  of the process: engines that get the same ones share their batches.
  explicit InferenceEngine(Events events,
                           std::shared_ptr<Batchers> batchers = std::make_shared<Batchers>());

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

  /// The first half of analyse(), for `every`. @return as analyse(). @throws Error
  std::optional<PendingFrame> begin(const FrameInput& frame, const InferenceOptions& options);
  /// The second half. @return nullopt if it was interrupted. @throws what the analysis threw.
  std::optional<Shown> finish(PendingFrame frame);

  /// Whether tiles of the next frame would be used.
  [[nodiscard]] bool wants_next(const FrameInput& frame, const InferenceOptions& options);

  /// Video is late downstream: leave out the next analysis, but never two in a row.
  void skip_one() { skip_one_ = true; }

  /// End of stream: waits until what was taken is analysed, at most `limit`.
  /// @throws Error what the analysis threw.
  void drain(std::chrono::milliseconds limit);
  /// Wakes analyse(), begin(), finish() and drain() from any thread, and gives up the frames that
  /// were begun; resume() makes them wait again.
  void interrupt();
  void resume();
  /// After a flush or with other caps: earlier results do not belong to what comes.
  void forget();
  /// Ends the worker; the model stays, and with it the network at work, which is not waited for in
  /// `every`. The engine is as new, apart from it.
  void stop();
  /// The model goes as well: waits for the loader and for what is in the network.
  void close();

 private:
  AnalyserPtr model_for(const FrameInput& frame, const AnalyserPtr& newest);
  bool take(const FrameInput& frame, const InferenceOptions& options);
  FrameJob job_for(const FrameInput& frame, const AnalyserPtr& analyser,
                   const InferenceOptions& options);
  std::shared_ptr<WindowKeeper> keeper_for(const TileBatch& tiles, const Analyser& analyser,
                                           const DeadlineOptions& deadline);
  std::optional<PendingFrame> take_in(const FrameInput& frame, const InferenceOptions& options);
  void hand_over(PendingFrame& frame);
  AnalysisPtr conclude(PendingFrame& frame);
  Shown let_out(const PendingFrame& frame, const AnalysisPtr& newest);
  AnalysisPtr latest();
  void set_latest(AnalysisPtr analysis);
  void report(const AnalysisPtr& analysis);

  std::function<void(const AnalysisPtr&)> analysed_;
  std::function<bool()> model_may_come_;
  std::function<std::uint64_t(const Capture&, bool taken)> passing_;
  std::function<void(const Error&)> undivided_;
  Health health_;
  LoadSlot<Analyser> models_;
  std::atomic<bool> skip_one_{false};
  bool skipped_last_ = false;
  std::int64_t frames_since_taken_;
  AnalyserPtr serving_;
  std::shared_ptr<Batchers> batchers_;  // shared by the engines of the process
  std::shared_ptr<Batcher> batcher_;    // that of the newest frame; letting go of it may wait
  std::shared_ptr<Batcher::Seat> seat_;
  std::shared_ptr<WindowKeeper> keeper_;  // that of the seat; shared with the frames on their way
  bool undivided_told_ = false;           // of the seat's model
  InFlight in_flight_;
  std::mutex latest_lock_;  // guards `latest_`
  AnalysisPtr latest_;      // in `every`; the worker keeps its own
  ShadowWorker shadow_;
  GoodMarks marks_;
  LatestWorker worker_;  // after shadow_ and marks_, which its jobs reach for
};

}  // namespace uad

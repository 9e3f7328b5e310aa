// SPDX-License-Identifier: LGPL-2.1-or-later
// A second model that judges the same frames on spare time, to be compared with the one in service.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/engine/analyser.h"
#include "core/base/engine/latest_worker.h"
#include "core/base/engine/load_slot.h"

namespace uad {

/// One frame that the two models judged differently.
struct Disagreement {
  AnalysisPtr main;
  AnalysisPtr shadow;
  /// The first one, one of another kind than the comparison before, or none was news for a second.
  bool news = false;
};

/// The model in service never waits for the shadow: a frame is compared after its own result is
/// there, on a thread of low priority, and a newer frame replaces one that still waits.
/// @note prepare(), forget() and drain() on the streaming thread; stop() belongs to the owner; the
/// rest is thread-safe.
class ShadowWorker {
 public:
  struct Events {
    LoadSlot<Analyser>::Events model;                   ///< loader thread
    std::function<void(const Disagreement&)> differed;  ///< worker thread
    /// Streaming or worker thread, once for each shadow: it is compared no more.
    std::function<void(const std::exception_ptr&)> failed;
  };
  struct Counts {
    std::uint64_t compared = 0;   ///< frames that both models judged
    std::uint64_t disagreed = 0;  ///< of those, with different verdicts
  };
  /// What the shadow needs of a frame.
  struct Rival {
    AnalyserPtr shadow;
    TileBatchPtr tiles;
    ThresholdOverrides overrides;
  };
  using Cut = std::function<TileBatchPtr(const Analyser&)>;

  explicit ShadowWorker(Events events);

  /// The shadow and the one that is being loaded. The counts begin anew with each.
  [[nodiscard]] LoadSlot<Analyser>& models() noexcept { return models_; }
  [[nodiscard]] const LoadSlot<Analyser>& models() const noexcept { return models_; }
  [[nodiscard]] Counts counts() const;

  /// Before the frame's pixels go away. The shadow uses the same tiles where it can; otherwise
  /// they are cut for it, but only while it has nothing to do.
  /// @param tiles  cut for `main`. @param cut  null if they were cut upstream.
  /// @return nullopt if there is no shadow, or it has no time.
  [[nodiscard]] std::optional<Rival> prepare(const Analyser& main, const TileBatchPtr& tiles,
                                             const Cut& cut, const ThresholdOverrides& overrides);
  /// Returns at once. @param main  the result of the same frame.
  void compare(const Rival& rival, const AnalysisPtr& main);
  /// Takes the shadow away to become the main model. @return null if there is none or it failed.
  [[nodiscard]] AnalyserPtr take();

  void drain(LatestWorker::Clock::duration limit) { worker_.drain(limit); }
  /// What waits belongs to an earlier stream.
  void forget() { worker_.forget(); }
  /// Ends the worker; the model stays.
  void stop();

 private:
  void judge(const Rival& rival, const AnalysisPtr& main);
  void count(const AnalyserPtr& model, const AnalysisPtr& main, const AnalysisPtr& shadow);
  void give_up_on(const AnalyserPtr& shadow);
  [[nodiscard]] bool in_use(const AnalyserPtr& shadow) const;

  Events events_;
  LoadSlot<Analyser> models_;
  mutable std::mutex lock_;  // guards the members below, up to worker_
  Counts counts_;
  std::weak_ptr<const Analyser> counted_;                    // the shadow that counts_ are of
  std::weak_ptr<const Analyser> failed_;                     // compared no more
  std::optional<std::pair<Verdict, Verdict>> disagreement_;  // of the last comparison
  LatestWorker::Clock::time_point told_{};
  LatestWorker worker_;
};

}  // namespace uad

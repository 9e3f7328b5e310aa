// SPDX-License-Identifier: LGPL-2.1-or-later
// Analyses as many windows of each frame as its deadline leaves time for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/engine/window_planner.h"
#include "core/base/results/analysis.h"
#include "core/base/windowed_model.h"

namespace uad {

struct DeadlineOptions {
  /// A frame has its result so long after its arrival, about; 0 = whole frames, however long.
  std::chrono::milliseconds time{0};
  /// See WindowBudget::within. It holds even where the deadline cannot.
  std::size_t within = 0;
};

/// What something takes, from what it took so far. It rises fast and falls slowly, so that
/// deadlines are rather kept. @note Thread-safe.
class MeasuredTime {
 public:
  void add(double ms);
  /// nullopt before the first measurement.
  [[nodiscard]] std::optional<double> ms() const;

 private:
  std::atomic<double> ms_{-1};
};

/// One frame and what its analysis depends on.
struct KeeperFrame {
  TileBatchPtr tiles;
  std::string product;
  Capture capture;
  std::uint64_t scene = 0;  ///< what another scene showed says nothing about this one
  DeadlineOptions deadline;
  ThresholdOverrides overrides;
};

struct KeptOutput {
  ModelOutput output;
  Coverage coverage;  ///< `stale` is left to whoever knows how old a result may be
};

/// Keeps what each window of a stream said last and gives every frame the answer of all of them.
/// The first frame is analysed whole, and so is the first of another scene, geometry or product and
/// the one after the model has recognised another product.
/// @note analyse() on one thread at a time, frames in their order; the rest thread-safe.
class WindowKeeper {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  /// @param model  one that serves().
  explicit WindowKeeper(ModelPtr model, Now now = Clock::now);

  /// Whether the model can look at some windows of a frame.
  [[nodiscard]] static bool serves(const Model& model);

  /// @throws as Model::analyse(); the next frame is analysed whole then.
  [[nodiscard]] KeptOutput analyse(const KeeperFrame& frame);
  /// The result of a frame took so long after analyse().
  void judged(double ms) { judging_.add(ms); }

 private:
  /// What must stay the same for kept results to hold.
  struct Subject {
    TilePlan plan;
    std::string product;
    std::uint64_t scene = 0;
    bool operator==(const Subject&) const = default;
  };

  [[nodiscard]] std::size_t room(const KeeperFrame& frame) const;
  [[nodiscard]] Coverage coverage(const KeeperFrame& frame, std::size_t analysed) const;
  void begin_anew(Subject subject);

  ModelPtr model_;                 // shared with the elements that have it in service
  const WindowedModel* windowed_;  // the same
  Now now_;
  MeasuredTime window_;   // each
  MeasuredTime merging_;  // of a frame
  MeasuredTime judging_;
  std::optional<Subject> subject_;
  WindowPlanner planner_{1};
  KeptWindows kept_;
  std::vector<Capture> captures_;  // of the frame in which each window was looked at
};

}  // namespace uad

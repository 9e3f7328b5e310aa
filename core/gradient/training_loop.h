// SPDX-License-Identifier: LGPL-2.1-or-later
// The loop around every method that learns by gradient: batches, steps, validation, the best
// weights, curves, checkpoints, an early or clean end.
//
// Several processes share each batch and do all else alike; what process 0 finds decides, and it
// alone writes (core/distributed/).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/backend.h"
#include "core/distributed/processes.h"
#include "core/gradient/augmentation.h"
#include "core/gradient/batch_order.h"
#include "core/gradient/curves.h"
#include "core/gradient/learner.h"
#include "core/gradient/sample_store.h"
#include "core/gradient/schedule.h"
#include "core/method.h"

namespace uad {

struct LoopOptions {
  std::int64_t epochs = 0;  ///< passes over all images; 0 = `steps` says how long
  std::int64_t steps = 0;   ///< batches drawn from the images repeated without end
  std::size_t batch_size = 1;
  bool drop_last = false;  ///< an epoch's last batch where it is not full; `epochs` only
  Schedule schedule;       ///< its `total` is set by the loop
  Augmentation augmentation;
  std::uint64_t seed = 3;
  std::int64_t round_steps = 50;  ///< a round, after which figures are told; with `epochs` an epoch
  std::size_t task_size = 0;      ///< see BatchOrder::Options; `steps` only
  std::int64_t task_passes = 1;
  std::string best_by;  ///< validation figure whose lowest value marks the best weights; "" = the
                        ///< last ones are the best
  bool best_is_highest = false;    ///< its highest value; of equals the later
  double best_at_least = 0;        ///< with best_is_highest: lower ones mark nothing
  std::int64_t best_after = 0;     ///< steps before which none marks anything
  std::int64_t patience = 0;       ///< rounds without a better value that end the run; 0 = none do
  std::string target_figure;       ///< training figure whose round mean ends the run …
  double target = 0;               ///< … once it is strictly above this
  double checkpoint_seconds = 30;  ///< at least between two checkpoints while it runs
  std::int64_t hopeless_rounds = 0;  ///< rounds with a mean loss above the first step's that end
                                     ///< the run with an error; 0 = none do
};

/// One run. @note One thread.
class TrainingLoop {
 public:
  /// @param learner, training, validation  borrowed. `validation` may be empty.
  /// @param identity  what makes two runs equal: method, options.
  TrainingLoop(Learner& learner, const LoopOptions& options, const SampleStore& training,
               const SampleStore& validation, const RunFolder& run, nlohmann::json identity);

  /// Runs to the end, to `control.enough`, or on from where a cancelled call ended; then the
  /// learner has the best weights. With a run folder, the state is in "last.ckpt" now and then
  /// after a round and at every end, and with it the best weights in "best.ckpt". What an earlier
  /// run left there goes into a folder "earlier".
  /// @throws Error(kCancelled); ProcessesLost naming what is left to go on from; Error(kFailed)
  /// naming step and images where the loss is not finite or the run is hopeless; Error(kNotFound)
  /// if there is nothing to resume; what reading a checkpoint throws.
  void run(const FitControl& control);

  [[nodiscard]] std::int64_t step() const noexcept { return progress_.step; }
  [[nodiscard]] const std::vector<TrainingRound>& points() const { return curves_->points(); }

 private:
  struct Progress {
    std::int64_t step = 0;  // done
    double seconds = 0;     // without pauses
    double first_loss = 0;
    std::int64_t hopeless = 0;   // rounds in a row
    std::optional<double> best;  // value of best_by
    std::int64_t best_step = 0;
    std::int64_t stale = 0;  // rounds since the best
    Figures sums;            // of the round so far, by images
    std::int64_t images = 0;
  };
  friend void to_json(nlohmann::json& json, const Progress& progress);
  friend void from_json(const nlohmann::json& json, Progress& progress);

  void begin();
  void begin_alike();
  [[nodiscard]] bool any_asked(const std::stop_token& stop) const;
  void take_steps(const FitControl& control);
  void take_step(const Batch& batch);
  [[nodiscard]] bool at_end_of_round() const;
  void end_round(const FitControl& control);
  [[nodiscard]] Figures validate();
  void judge(const TrainingRound& point);
  [[nodiscard]] bool is_better(double value) const;
  [[nodiscard]] bool ends_early(const TrainingRound& point) const;
  void keep_best();
  void save_now_and_then();
  void use_best();
  void save();
  [[nodiscard]] TensorMap weights();
  [[nodiscard]] std::string where() const;
  [[nodiscard]] std::string left_to_go_on_from() const;
  void report(const FitControl& control) const;

  Learner& learner_;
  LoopOptions options_;
  const SampleStore& training_;
  const SampleStore& validation_;
  RunFolder run_;  // of process 0; the others have none
  nlohmann::json identity_;
  Communicator* processes_ = processes();  // null = it is alone
  BatchOrder order_;
  std::int64_t round_;  // steps
  std::int64_t total_;  // steps
  Progress progress_;
  bool ended_ = false;        // early
  bool saved_state_ = false;  // last.ckpt is of this run
  bool best_is_saved_ = true;
  std::chrono::steady_clock::time_point saved_{};  // when last.ckpt was written
  TensorMap best_;                                 // copies; empty = none yet
  std::optional<TrainingCurves> curves_;           // nothing until it begins
};

}  // namespace uad

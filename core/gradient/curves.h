// SPDX-License-Identifier: LGPL-2.1-or-later
// What training looked like, round by round: a CSV file and TensorBoard's event file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/gradient/event_file.h"
#include "core/gradient/learner.h"

namespace uad {

/// One round: an epoch, or so many steps.
struct TrainingRound {
  std::int64_t step = 0;  ///< steps done
  double epoch = 0;       ///< the same in passes over the images
  double seconds = 0;     ///< since the beginning, without pauses
  double learning_rate = 0;
  Figures training;    ///< means of the round
  Figures validation;  ///< after it; may be empty
};
void to_json(nlohmann::json& json, const TrainingRound& point);
void from_json(const nlohmann::json& json, TrainingRound& point);

/// Writes "curves.csv" and "events.out.tfevents.…" into a folder. @note One thread.
class TrainingCurves {
 public:
  /// @param folder  "" = nothing is written. @param points  of a run that goes on.
  /// @throws Error(kFailed) if nothing can be written there.
  TrainingCurves(const std::filesystem::path& folder, std::vector<TrainingRound> points);
  /// @throws Error(kFailed).
  void add(const TrainingRound& point);
  [[nodiscard]] const std::vector<TrainingRound>& points() const noexcept { return points_; }

 private:
  void write_csv() const;

  std::filesystem::path folder_;
  std::vector<TrainingRound> points_;
  std::unique_ptr<EventFile> events_;
};

/// Whether a file of a run's folder is one of these.
bool is_curve_file(const std::string& name);

}  // namespace uad

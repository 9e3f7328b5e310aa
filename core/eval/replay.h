// SPDX-License-Identifier: LGPL-2.1-or-later
// Other thresholds over stored scores and maps: what they would have decided, without a network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/data/dataset.h"
#include "core/eval/cost.h"
#include "core/eval/map_replay.h"
#include "core/eval/stored_scores.h"

namespace uad {

struct VerdictCounts {
  std::int64_t pass = 0, warn = 0, reject = 0, unscored = 0;
  void add(Verdict verdict);
  bool operator==(const VerdictCounts&) const = default;
};

/// The verdicts of one kind of image.
struct KindVerdicts {
  std::string kind;  ///< "" = without a label
  bool defective = false;
  VerdictCounts before;
  VerdictCounts after;
};

struct Replay {
  Thresholds thresholds;             ///< the new ones; scales that are not known give NaN
  std::vector<Verdict> verdicts;     ///< the new ones, of every frame
  std::vector<KindVerdicts> kinds;   ///< "good" first, then defects by name, last what has no label
  std::vector<std::size_t> changed;  ///< frames whose verdict is another one
  /// Stored verdicts that the thresholds stored with them do not give: an edited file.
  std::vector<std::size_t> contradictions;
  Confusion before;  ///< labelled frames with a score; WARN counts as not rejected
  Confusion after;

  [[nodiscard]] VerdictCounts all_before() const;
  [[nodiscard]] VerdictCounts all_after() const;
};

/// Judges every frame again. Where the run has no thresholds, `wish` must give a reject threshold;
/// warn is the same unless it is given too.
/// @throws Error(kBadOption) if warn exceeds reject, or nothing says what to judge with.
Replay replay(const StoredRun& run, const ThresholdWish& wish);

/// Gives each frame the label of the image of the same name below the data set: `test/KIND/FILE`
/// at its end, or for a plain folder of good images `FOLDER/FILE`.
/// @return by frame, null where the set has no such image.
/// @throws Error(kNotFound) if it has none of them.
std::vector<const ImageItem*> label_frames(StoredRun& run, const Dataset& data,
                                           const std::filesystem::path& root);

/// What a set of decisions costs on the line, and the cheapest one.
struct CostComparison {
  Costs costs;
  bool rate_of_the_set = false;  ///< nobody said how many defects the line has
  double before = 0;             ///< per 1000 parts; NaN = undefined
  double after = 0;
  CheapestThreshold cheapest;
};
/// @param costs  a defect rate of NaN is taken from the set.
/// @return nothing unless there are labelled frames of both classes.
std::optional<CostComparison> compare_costs(const StoredRun& run, const Replay& replayed,
                                            Costs costs);

/// The run's record as if it had been judged with the new thresholds: the keys of uad predict or
/// uad eval, and `replay` with both sides, what changed, and the costs.
nlohmann::json replayed_record(const StoredRun& run, const Replay& replayed,
                               const std::optional<CostComparison>& costs,
                               const std::optional<MapReplay>& maps);

}  // namespace uad

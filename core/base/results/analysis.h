// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known about one frame after it was analysed, and what a later frame may still say of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/base/results/coverage.h"
#include "core/base/results/verdict.h"

namespace uad {

inline constexpr std::uint64_t kNoTime = std::numeric_limits<std::uint64_t>::max();

/// When a frame was taken. Times are nanoseconds; kNoTime = unknown.
struct Capture {
  std::uint64_t pts = kNoTime;                      ///< as stamped on the buffer
  std::uint64_t running_time = kNoTime;             ///< never jumps back between two flushes
  std::int64_t utc_us = 0;                          ///< microseconds since 1970
  std::chrono::steady_clock::time_point arrival{};  ///< at uadinfer
  std::uint64_t frame = 0;                          ///< counted since the stream began, from 0
};

/// From one frame to another in nanoseconds: by running time where both have one, else by arrival.
/// kNoTime if `later` is the earlier one.
std::uint64_t time_between(const Capture& earlier, const Capture& later);

/// Milliseconds.
struct Timings {
  double cut_ms = 0;    ///< 0 where the tiles came with the frame
  double wait_ms = 0;   ///< from arrival to the start of the network
  double infer_ms = 0;  ///< network, neighbours, map
  double judge_ms = 0;  ///< thresholds and regions
  double total_ms = 0;  ///< from arrival to the finished result
};

/// The judged result of one frame. Immutable once shared.
struct Analysis {
  Verdict verdict = Verdict::kUnscored;
  double score = std::numeric_limits<double>::quiet_NaN();             ///< raw
  double normalised_score = std::numeric_limits<double>::quiet_NaN();  ///< 0…1, 0.5 = reject
  Thresholds thresholds;  ///< those used, overrides applied
  std::vector<Region> regions;
  ScoreMap map;
  RectF placement;      ///< of the map in the frame
  std::string product;  ///< see ModelOutput
  Coverage coverage;
  std::string model_name;
  std::string model_sha256;
  Capture capture;
  Timings timings;
};
using AnalysisPtr = std::shared_ptr<const Analysis>;  ///< shared by every frame that carries it

/// Applies thresholds and finds regions; every other field of the result is left as it was built.
/// @throws Error(kBadOption) if the overrides contradict the model's scale.
Analysis judge_output(ModelOutput output, const Thresholds& model,
                      const ThresholdOverrides& overrides);

/// What one frame says: its own result, an earlier one with its age, or nothing.
struct Shown {
  AnalysisPtr analysis;  ///< null = nothing is known
  Verdict verdict = Verdict::kUnscored;
  std::uint64_t age_ns = kNoTime;
  const char* note = "";  ///< why UNSCORED; static text; "" otherwise
};

/// A result older than `max_age` (or of unknown age) is UNSCORED: stale never reads as PASS. Nor
/// does one of which a window is.
/// @param latest  newest result; may be null.
/// @param absent  the note used when there is none, static text.
Shown show(const AnalysisPtr& latest, const Capture& frame, std::chrono::milliseconds max_age,
           const char* absent);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// How long models take for a frame on this machine, and what another precision does to their
// scores.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/backend.h"
#include "core/method.h"

namespace uad {

/// Of one stretch of work, in milliseconds.
struct Spread {
  double median = 0;
  double p95 = 0;
  double p99 = 0;
};

/// @param milliseconds  in any order; of an empty list all figures are 0. Nearest rank.
Spread spread_of(std::vector<double> milliseconds);

/// A model in one precision.
struct Contestant {
  std::filesystem::path file;
  ModelPtr model;
  double load_ms = 0;  ///< reading, verifying, self-test, warming up
};

/// Each file in each precision. One that comes to the same as another ("model" and "fp32") is
/// loaded once.
/// @param precisions  as in ExecutionOptions. @throws what load_model() throws.
std::vector<Contestant> load_contestants(const std::vector<std::filesystem::path>& files,
                                         const std::vector<std::string>& precisions,
                                         const std::string& device, const MethodTable& methods,
                                         std::stop_token stop);

struct Measurement {
  std::filesystem::path file;
  std::string method;
  std::string precision;
  std::string device;
  int threads = 1;
  double load_ms = 0;
  Spread cut;      ///< of one frame: colour, resize, windows
  Spread analyse;  ///< network, neighbours, map
  /// Largest change of a frame's normalised score against the same model in its own precision.
  double shift = 0;
  double image_auroc = 0;  ///< on a labelled set; NaN = not measured

  [[nodiscard]] double frame_ms() const { return cut.median + analyse.median; }
  [[nodiscard]] double frames_per_second() const { return 1000.0 / frame_ms(); }
};

/// Each contestant on every frame, in turns, so that a disturbance hits all alike.
/// @param threads  in use; see use_threads(). @param rounds  passes over all frames.
/// @return one for each contestant, in their order, with image_auroc NaN.
/// @throws Error(kBadOption) without frames; Error(kCancelled).
std::vector<Measurement> measure_in_turns(const std::vector<Contestant>& contestants,
                                          const std::vector<FrameView>& frames, int threads,
                                          int rounds, const ProgressFn& progress,
                                          std::stop_token stop);

/// One object with every figure; NaN becomes null.
nlohmann::json to_json(const Measurement& measurement);

}  // namespace uad

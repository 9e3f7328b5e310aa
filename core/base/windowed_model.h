// SPDX-License-Identifier: LGPL-2.1-or-later
// What a model can be besides: one that looks at some windows of a frame and keeps what the others
// said.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/backend.h"

namespace uad {

/// What the windows of a stream said when each was looked at last. Empty before the first frame.
struct KeptWindows {
  /// Merged, of plan.map_size(). Where windows overlap, those of the newest frame count alone.
  ScoreMap map;
  std::vector<double> scores;  ///< of each window; raw
  /// Of each window on the scale of the frame's score, so that thresholds can be held against it.
  std::vector<double> suspicions;
  std::vector<std::string> products;  ///< of each window; empty where the model knows none
};

struct WindowsOutput {
  ModelOutput frame;   ///< of all windows: what the chosen ones say and the others said last
  double look_ms = 0;  ///< of frame.infer_ms, what the chosen windows took
};

/// A Model that is none of these analyses whole frames only. @note Thread-safe, as Model.
class WindowedModel {
 public:
  virtual ~WindowedModel();
  /// With all windows chosen the answer is that of Model::analyse(), to the bit; with some, scores
  /// and maps of the chosen ones differ from it by rounding at most.
  /// @param chosen  indexes into plan().origins, rising, at least one; all while `kept` is empty.
  /// @param kept  of earlier frames of the same plan and this model; this frame's is written into
  /// it. After an exception it is good for nothing.
  /// @throws as Model::analyse().
  [[nodiscard]] virtual WindowsOutput analyse_windows(const TileBatch& tiles,
                                                      const std::vector<std::size_t>& chosen,
                                                      const std::string& product,
                                                      KeptWindows& kept) const = 0;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// A prediction as a picture: what was found, how surely, where, and what is true.
#pragma once

#include <string>

#include "core/base/backend.h"
#include "core/base/results/verdict.h"
#include "core/eval/boxes.h"

namespace uad {

struct PredictionPicture {
  Thresholds thresholds;  ///< that are judged with
  BoxRule boxes;
  bool show_heatmap = false;

  /// The frame with a title above it, a red box around each predicted defect, and, if asked for, a
  /// red tint as strong as the map.
  /// @param truth  what is known of the frame, e.g. "good" or "crack"; "" = nothing.
  [[nodiscard]] Image draw(const FrameView& frame, const ModelOutput& output,
                           const std::string& truth) const;
  /// "Anomaly 0.982, true: crack". The number is the probability of the class named, or, for a
  /// method whose score is none, "score" and the normalised one.
  [[nodiscard]] std::string title(const ModelOutput& output, const std::string& truth) const;
};

/// The kind of an image by the folders it lies in, as in test/crack/17.png; "" if they do not tell.
[[nodiscard]] std::string kind_by_folder(const std::filesystem::path& image);

}  // namespace uad

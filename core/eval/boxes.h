// SPDX-License-Identifier: LGPL-2.1-or-later
// Boxes around predicted defects, and how well they fit the labelled ones.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/backend.h"
#include "core/base/results/verdict.h"

namespace uad {

/// What of a score map lies inside a box.
struct BoxRule {
  double threshold = 0;      ///< values from here on
  bool probability = false;  ///< the frame's score is one, so pictures tell it as one
  bool single = false;       ///< one box around everything instead of one a connected part
};

/// From the threshold of regions on; a method with the options `heatmap_thres` and `boxes` gives
/// probabilities, and says whether boxes are put together.
[[nodiscard]] BoxRule box_rule(const Manifest& manifest);

/// Frame pixels, strongest part first; none where the frame is not rejected.
[[nodiscard]] std::vector<Rect> defect_boxes(const ModelOutput& output,
                                             const Thresholds& thresholds, const BoxRule& rule);

/// The smallest box around all of them; empty where there is none.
[[nodiscard]] Rect enclosing(const std::vector<Rect>& boxes);

/// Area of both over area of either, 0…1; 0 where one is empty.
[[nodiscard]] double overlap(const Rect& a, const Rect& b);

/// Boxes against masks, over the defective frames whose mask shows something.
class BoxMetrics {
 public:
  struct Result {
    std::int64_t defects = 0;   ///< frames
    std::int64_t detected = 0;  ///< of these, rejected with a box
    std::int64_t hits = 0;      ///< of these, with a pixel of the mask inside a box
    double hit_share = 0;       ///< hits / detected; NaN where nothing was detected
    double mean_iou = 0;  ///< of the detected: overlap of the box around all boxes with that around
                          ///< the mask; NaN likewise
  };
  /// @param truth  the mask on the map's grid, see mask_on_map().
  void add(const std::vector<Rect>& boxes, const Image& truth, const RectF& placement);
  [[nodiscard]] Result result() const;

 private:
  Result counts_;
  double iou_sum_ = 0;
};

}  // namespace uad

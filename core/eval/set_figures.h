// SPDX-License-Identifier: LGPL-2.1-or-later
// Figures of scores that are scaled over the very set they are taken from, as few-shot mura papers
// quote them. A live line has no such set: it goes by the model's own scale.
// Source: specification, UF-GAN, section 8.
#pragma once

#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/eval/metrics.h"

namespace uad {

/// Scores are scaled to 0 … 1 by the lowest and the highest of the set; all 0 where they are equal.
/// Rates without images of a class are NaN.
struct SetFigures {
  double lowest = 0;
  double highest = 0;
  std::vector<float> scaled;  ///< the scores, in their order
  double auroc = 0;
  double youden = 0;    ///< scaled threshold of the largest TPR - FPR, the highest on ties
  Confusion at_youden;  ///< decisions from it on (>=)
  double fixed = 0;     ///< scaled threshold that was asked for
  Confusion at_fixed;   ///< decisions beyond it (>)
  /// Of the thresholds with a TNR of at least 0.9 the one of the highest TPR; on ties that of the
  /// higher TNR, then the higher one.
  double m_threshold = 0;
  double m_tnr = 0;
  double m_tpr = 0;
};

/// @param labels  1 = defect. @param fixed  0 … 1. @throws as auroc().
[[nodiscard]] SetFigures set_figures(std::span<const float> scores,
                                     std::span<const std::uint8_t> labels, double fixed);

/// Under the names of the published program: AUC, Threshold, Acc, FAR, TNR, PPV, TPR, NPV, F1 of
/// both thresholds, and M_Threshold, M_TNR, M_TPR. Undefined ones are null.
[[nodiscard]] nlohmann::json to_json(const SetFigures& figures);

}  // namespace uad

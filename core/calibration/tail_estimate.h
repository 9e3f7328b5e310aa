// SPDX-License-Identifier: LGPL-2.1-or-later
// An estimate of a high quantile from the shape of a sample's tail: no promise.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace uad {

struct TailEstimate {
  double threshold = 0;   ///< raw score that the share `rate` of good samples would reach
  double shape = 0;       ///< xi: above 0 a heavy tail, below 0 one that ends
  std::int64_t tail = 0;  ///< highest scores that were fitted
};

/// A generalised Pareto law fitted to the excesses of the highest tenth of the scores (at least 20,
/// at most half of them) and extrapolated to `rate`. Source: Zhang and Stephens, Technometrics 51
/// (2009), "A new and efficient estimation method for the generalized Pareto distribution".
/// @param scores  finite, raw, in any order. @param rate  in (0, 1).
/// @return nothing for fewer than 20 scores, for a tail of ties, and where `rate` needs no
/// extrapolation because it lies below the fitted tail.
[[nodiscard]] std::optional<TailEstimate> estimate_tail(std::vector<float> scores, double rate);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// What wrong decisions cost on a line, and the reject threshold that costs least.
//
// A labelled set has far more defects than a line, so rates are taken from the set and weighted
// with the line's share of defects.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/eval/metrics.h"

namespace uad {

/// In any unit of money.
struct Costs {
  double false_reject = 1;   ///< of one good part thrown away
  double false_accept = 10;  ///< of one defective part let through
  double defect_rate = std::numeric_limits<double>::quiet_NaN();  ///< on the line, 0…1
};

/// @throws Error(kBadOption) naming the option: costs must be ≥ 0, the rate within 0…1.
void check(const Costs& costs);

/// Expected cost of 1000 parts of the line. NaN where the set lacks a class that the line has.
double cost_per_1000(const Confusion& rates, const Costs& costs);

struct CheapestThreshold {
  double handy = 0;      ///< decides the same as `threshold`: a short number in the middle
  double threshold = 0;  ///< an observed score; above all of them where rejecting nothing is best
  double above = 0;      ///< from here (excluded) up to `threshold` every one decides the same;
                         ///< -infinity if it rejects everything
  double highest = 0;    ///< the highest observed score of the same cost
  int candidates = 0;    ///< how many thresholds have this cost
  Confusion images;
  double cost = 0;  ///< per 1000 parts; NaN = undefined
};

/// Tries every distinct score, and rejecting nothing. Of equal costs the lowest threshold is taken:
/// it lets fewer defects through. @param labels  1 = defect. @param scores  finite.
CheapestThreshold cheapest_threshold(std::span<const double> scores,
                                     std::span<const std::uint8_t> labels, const Costs& costs);

}  // namespace uad

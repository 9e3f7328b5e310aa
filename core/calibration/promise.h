// SPDX-License-Identifier: LGPL-2.1-or-later
// Reject thresholds with a promised false-reject rate, whatever law the scores follow.
//
// The promise rests on order statistics alone. Of n independent good samples, the share of all good
// samples that lies above the k-th largest score is at most p with probability
// P(Binomial(n, p) >= k); scores with ties only lower that share. Source: Wilks, Annals of
// Mathematical Statistics 12 (1941), "Determination of sample sizes for setting tolerance limits".
#pragma once

#include <cstdint>
#include <vector>

namespace uad {

/// What a threshold shall keep.
struct PromiseTarget {
  double rate = 1e-3;        ///< share of good samples that may be rejected, in (0, 1)
  double confidence = 0.95;  ///< chance that the calibration keeps it, in (0, 1)
};

struct Promise {
  float threshold = 0;       ///< raw score from which on (>=) a sample is rejected
  double rate = 0;           ///< promised with the target's confidence; the target's or lower
                             ///< unless there were too few samples
  std::int64_t order = 1;    ///< the threshold lies just above the order-th largest score
  std::int64_t samples = 0;  ///< independent good samples that were scored
  std::int64_t needed = 0;   ///< samples from which on the target can be promised
  [[nodiscard]] bool reaches_target() const noexcept { return samples >= needed; }
};

/// The lowest threshold that keeps the target; with too few samples the largest score, with the
/// rate that this one keeps.
/// @param scores  one raw score for each independent good sample, in any order.
/// @throws Error(kBadOption) if there is none, if one is not finite, or as samples_needed().
[[nodiscard]] Promise promise_threshold(std::vector<float> scores, const PromiseTarget& target);

/// Independent good samples that the target needs: 2995 for 1e-3 at 95 %.
/// @throws Error(kBadOption) if rate or confidence lies outside of (0, 1).
[[nodiscard]] std::int64_t samples_needed(const PromiseTarget& target);

/// The rate that a threshold just above the `order`-th largest of `samples` scores keeps with this
/// confidence. @param order  1…samples.
[[nodiscard]] double promised_rate(std::int64_t samples, std::int64_t order, double confidence);

}  // namespace uad

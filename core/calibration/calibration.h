// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the thresholds of a model come from.
#pragma once

#include <string>
#include <vector>

#include "core/base/files/manifest.h"
#include "core/base/results/verdict.h"
#include "core/calibration/promise.h"
#include "core/calibration/samples.h"
#include "core/eval/evaluation.h"

namespace uad {

struct Calibration {
  Thresholds thresholds;
  ThresholdOrigin origin;  ///< how, in words and numbers that `uad info` shows
};

/// From good frames that were not fitted. With mean and standard deviation (sd) of the image
/// scores: reject = mean + 3 sd, warn = mean + 2 sd. The map scale follows the same rule on the
/// maximum of every map, so that hardly a pixel of a good frame reaches the region threshold.
/// @param scores, map_maxima  one value a frame, raw units. @param split  how the frames were held
/// out, in words.
/// @throws Error(kBadOption) if empty or not finite.
Calibration calibrate_on_good(const std::vector<double>& scores,
                              const std::vector<double>& map_maxima, const std::string& split);

/// From good frames that were not fitted, with a promise: image and map threshold each by
/// promise_threshold(), warn by the same rule at ten times the rate (at most 20 %). The facts
/// hold the promise, a tail estimate beside it, and what naive rules would have given.
/// @throws Error(kBadOption) as promise_threshold().
Calibration calibrate_by_promise(const GoodSamples& samples, const PromiseTarget& target);

/// Where score and map are probabilities of a defect: nothing is derived, reject = 0.5, warn =
/// 0.25.
/// @param map_threshold  probability from which regions begin. @param split  as above.
Calibration calibration_of_probability(double map_threshold, const std::string& split);

/// From a labelled set: reject = F1-optimal image score; region threshold = F1-optimal pixel score
/// where there were masks, else `good`'s. Warn lies midway between the good frames' mean and
/// reject. lo and hi are the smallest and largest value seen.
/// @param good  what is used where the set gives no answer.
/// @throws Error(kBadOption) unless the set has both good and defective frames.
Calibration calibrate_on_labelled(const Evaluation& labelled, const Calibration& good);

/// The same with reject = the highest threshold that still rejects the share `recall` of the
/// defective frames; a lower one would only reject more good frames. It speaks of this set alone.
/// @throws Error(kBadOption) also if `recall` lies outside of (0, 1].
Calibration calibrate_to_recall(const Evaluation& labelled, double recall, const Calibration& good);

/// The same with reject = that share of the way from the lowest to the highest score of the set, as
/// few-shot mura detection decides. Source: specification, UF-GAN, section 8.
/// @throws Error(kBadOption) also if `share` lies outside of (0, 1) or all scores are equal.
Calibration calibrate_to_range(const Evaluation& labelled, double share, const Calibration& good);

}  // namespace uad

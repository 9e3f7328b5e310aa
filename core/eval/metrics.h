// SPDX-License-Identifier: LGPL-2.1-or-later
// Ranking metrics, exact for ties. Source: specification, evaluation.
//
// Conventions: label 1 = defect; predicted positive means score >= threshold; a metric without both
// classes is NaN; a non-finite score throws Error(kBadOption).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/eval/curve.h"

namespace uad {

struct Confusion {
  std::int64_t tp = 0, fp = 0, fn = 0, tn = 0;
  /// The same decisions as tables count them that call a good image positive.
  [[nodiscard]] Confusion good_as_positive() const { return {tn, fn, fp, tp}; }
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double balanced_accuracy() const;
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
  [[nodiscard]] double f1() const;
  [[nodiscard]] double iou() const;
};

struct OptimalF1 {
  double f1 = 0;
  double threshold = 0;  ///< always an observed score; the lowest one on ties
};

double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);
double average_precision(std::span<const float> scores, std::span<const std::uint8_t> labels);
OptimalF1 optimal_f1(std::span<const float> scores, std::span<const std::uint8_t> labels);
Confusion confusion_at(std::span<const float> scores, std::span<const std::uint8_t> labels,
                       double threshold);

/// Empty where undefined. Axes 0…1; thinned for charts, so areas are not taken from them.
struct Curves {
  Curve roc;               ///< true-positive over false-positive rate, from (0, 0)
  Curve precision_recall;  ///< precision over recall, one step a threshold, falling thresholds
  Curve pro;               ///< per-region overlap over false-positive rate; pixels only
};
Curves curves(std::span<const float> scores, std::span<const std::uint8_t> labels);

/// Pixel metrics over any number of images, in bounded memory: `bins` = 0 keeps every score and is
/// exact; otherwise scores are counted in that many equal bins of [low, high] (two passes by the
/// caller; error at most half the share of pairs that fall into one bin) and memory does not grow
/// with the number of images.
class PixelMetrics {
 public:
  struct Options {
    std::size_t bins = 0;
    double low = 0;
    double high = 1;
    double pro_limit = 0.3;  ///< false-positive rate up to which PRO is integrated
  };
  struct Result {
    double auroc, average_precision, aupro;  ///< NaN where undefined
    OptimalF1 f1;
    Confusion at_f1;
    std::int64_t pixels, defect_pixels, components;
    bool exact;
    Curves curves;
  };
  explicit PixelMetrics(const Options& options);
  /// One image. @param mask  [height * width], non-zero = defect; 8-connected components count for
  /// PRO. @throws Error(kShapeMismatch) if scores or mask have another size.
  void add(std::span<const float> scores, std::span<const std::uint8_t> mask, int width,
           int height);
  /// Sorts what was kept in place, so it needs no second copy. More images may be added afterwards.
  [[nodiscard]] Result result();

 private:
  /// Histogram mode: what fell into one bin.
  struct Bin {
    std::int64_t positives = 0;
    std::int64_t negatives = 0;
    double component_share = 0;                             // sum of 1 / component size
    float lowest = std::numeric_limits<float>::infinity();  // observed score: the bin's threshold
  };
  void count(float score, std::uint32_t component_size);

  Options options_;
  std::int64_t components_ = 0;
  // Exact mode, 8 bytes a pixel: score as an ordered integer above, the size of the pixel's
  // component (0 = good) below. Equal sets of pixels sort into equal arrays, so order and batches
  // cannot change a result by even one bit.
  std::vector<std::uint64_t> kept_;
  std::vector<Bin> bins_;
};

}  // namespace uad

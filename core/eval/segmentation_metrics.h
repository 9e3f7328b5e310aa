// SPDX-License-Identifier: LGPL-2.1-or-later
// How well maps of defect probabilities cover the defects, at fixed thresholds. Source:
// specification, TinyUNet, section 7.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/eval/metrics.h"

namespace uad {

/// What is above a threshold, strictly, is called defective. Shares are NaN where nothing defines
/// them.
struct SegmentationFigures {
  double threshold = 0;
  /// Mean over all images of (2 |P∧T| + 1e-5) / (|P| + |T| + 1e-5), P what was found and T what
  /// there is. Published as "IoU", which it is not. A good image in which nothing is found counts 1
  /// and one with a single pixel almost 0, so most of it is false alarms.
  double dice_all = 0;
  double dice = 0;   ///< the same mean over the images with a defect
  double iou = 0;    ///< |P∧T| / |P∨T|, mean over the images with a defect
  Confusion images;  ///< by the score of each image
  [[nodiscard]] double true_positive_rate() const { return images.recall(); }
  [[nodiscard]] double true_negative_rate() const;
};

/// Memory does not grow with the images. @note One thread.
class SegmentationMetrics {
 public:
  static constexpr std::array<double, 8> kThresholds{0.05, 0.125, 0.25, 0.5,
                                                     0.75, 0.85,  0.95, 0.99};

  /// The decision about one image. @param score  its largest probability.
  void add_image(double score, bool defective);
  /// The pixels of one image. @param map  probabilities. @param mask  non-zero = defect; an image
  /// without any has no defect. @throws Error(kShapeMismatch) if their sizes differ.
  void add_pixels(std::span<const float> map, std::span<const std::uint8_t> mask);
  /// One for each threshold.
  [[nodiscard]] std::vector<SegmentationFigures> result() const;

 private:
  struct Sums {
    double dice_all = 0;
    double dice = 0;
    double iou = 0;
    Confusion images;
  };
  std::array<Sums, kThresholds.size()> sums_{};
  std::int64_t maps_ = 0;
  std::int64_t defective_maps_ = 0;
};

/// An array with an object for each threshold; undefined figures are null.
[[nodiscard]] nlohmann::json to_json(const std::vector<SegmentationFigures>& figures);

}  // namespace uad

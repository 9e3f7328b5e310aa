// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/segmentation_metrics.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/eval/evaluation_json.h"

namespace uad {
namespace {

constexpr double kSmoothing = 1e-5;
constexpr std::size_t kLevels = SegmentationMetrics::kThresholds.size();

/// Pixels by the number of thresholds that they are above.
using Histogram = std::array<std::int64_t, kLevels + 1>;

std::size_t thresholds_below(double value) {
  const auto& all = SegmentationMetrics::kThresholds;
  return static_cast<std::size_t>(std::ranges::lower_bound(all, value) - all.begin());
}

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double SegmentationFigures::true_negative_rate() const {
  return ratio(static_cast<double>(images.tn), static_cast<double>(images.tn + images.fp));
}

void SegmentationMetrics::add_image(double score, bool defective) {
  for (std::size_t i = 0; i < kLevels; ++i) {
    Confusion& images = sums_[i].images;
    const bool found = score > kThresholds[i];
    ++(found ? (defective ? images.tp : images.fp) : (defective ? images.fn : images.tn));
  }
}

void SegmentationMetrics::add_pixels(std::span<const float> map,
                                     std::span<const std::uint8_t> mask) {
  if (map.size() != mask.size()) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A map of {} pixels needs a mask of as many, but this one has {}.",
                            map.size(), mask.size()));
  }
  Histogram good{};
  Histogram defect{};
  for (std::size_t i = 0; i < map.size(); ++i) {
    ++(mask[i] == 0 ? good : defect)[thresholds_below(map[i])];
  }
  std::int64_t there = 0;
  for (const std::int64_t count : defect) there += count;
  ++maps_;
  defective_maps_ += there > 0 ? 1 : 0;
  std::int64_t hits = 0;  // from the highest threshold down
  std::int64_t alarms = 0;
  for (std::size_t i = kLevels; i-- > 0;) {
    hits += defect[i + 1];
    alarms += good[i + 1];
    const auto both = static_cast<double>(hits);
    const auto sum = static_cast<double>(hits + alarms + there);
    const double dice = (2 * both + kSmoothing) / (sum + kSmoothing);
    sums_[i].dice_all += dice;
    if (there == 0) continue;
    sums_[i].dice += dice;
    sums_[i].iou += both / (sum - both);
  }
}

std::vector<SegmentationFigures> SegmentationMetrics::result() const {
  std::vector<SegmentationFigures> figures;
  const auto all = static_cast<double>(maps_);
  const auto defective = static_cast<double>(defective_maps_);
  for (std::size_t i = 0; i < kLevels; ++i) {
    figures.push_back({.threshold = kThresholds[i],
                       .dice_all = ratio(sums_[i].dice_all, all),
                       .dice = ratio(sums_[i].dice, defective),
                       .iou = ratio(sums_[i].iou, defective),
                       .images = sums_[i].images});
  }
  return figures;
}

nlohmann::json to_json(const std::vector<SegmentationFigures>& figures) {
  nlohmann::json list = nlohmann::json::array();
  for (const SegmentationFigures& one : figures) {
    list.push_back({{"threshold", one.threshold},
                    {"dice_all", number_or_null(one.dice_all)},
                    {"dice", number_or_null(one.dice)},
                    {"iou", number_or_null(one.iou)},
                    {"tp", one.images.tp},
                    {"fp", one.images.fp},
                    {"fn", one.images.fn},
                    {"tn", one.images.tn},
                    {"tpr", number_or_null(one.true_positive_rate())},
                    {"tnr", number_or_null(one.true_negative_rate())}});
  }
  return list;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/segmentation_metrics.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace uad {
namespace {

using Map = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

const Map kFour{0.2F, 0.7F, 0.9F, 0.4F};
const Mask kTruth{0, 255, 255, 0};

SegmentationFigures at(const SegmentationMetrics& metrics, double threshold) {
  for (const SegmentationFigures& one : metrics.result()) {
    if (one.threshold == threshold) return one;
  }
  ADD_FAILURE() << "no figures at " << threshold;
  return {};
}

// Specification, TinyUNet, section 11.
TEST(SegmentationMetrics, DiceOfTheFourPixelsOfTheSpecification) {
  SegmentationMetrics metrics;
  metrics.add_pixels(kFour, kTruth);
  EXPECT_NEAR(at(metrics, 0.05).dice_all, 0.666667, 1e-6);
  EXPECT_NEAR(at(metrics, 0.25).dice_all, 0.8, 1e-6);
  EXPECT_NEAR(at(metrics, 0.5).dice_all, 1, 1e-6);
  EXPECT_NEAR(at(metrics, 0.75).dice_all, 0.666667, 2e-6);
  EXPECT_NEAR(at(metrics, 0.95).dice_all, 5.0e-6, 1e-8);
}

TEST(SegmentationMetrics, IouIsTheOverlapOfTheUnion) {
  SegmentationMetrics metrics;
  metrics.add_pixels(kFour, kTruth);
  EXPECT_DOUBLE_EQ(at(metrics, 0.05).iou, 0.5);
  EXPECT_DOUBLE_EQ(at(metrics, 0.25).iou, 2.0 / 3);
  EXPECT_DOUBLE_EQ(at(metrics, 0.5).iou, 1);
  EXPECT_DOUBLE_EQ(at(metrics, 0.95).iou, 0);
}

TEST(SegmentationMetrics, CleanImagesCountInDiceOfAllAlone) {
  SegmentationMetrics metrics;
  metrics.add_pixels(kFour, kTruth);
  metrics.add_pixels(Map(4, 0.1F), Mask(4, 0));  // nothing found above 0.125
  EXPECT_NEAR(at(metrics, 0.05).dice_all, (0.666667 + 1e-5 / 4) / 2, 2e-6);
  EXPECT_NEAR(at(metrics, 0.25).dice_all, (0.8 + 1) / 2, 2e-6);
  EXPECT_NEAR(at(metrics, 0.25).dice, 0.8, 2e-6);
  EXPECT_DOUBLE_EQ(at(metrics, 0.25).iou, 2.0 / 3);
}

TEST(SegmentationMetrics, WithoutADefectThereIsNoOverlap) {
  SegmentationMetrics metrics;
  metrics.add_pixels(Map(4, 0.1F), Mask(4, 0));
  EXPECT_TRUE(std::isnan(at(metrics, 0.5).iou));
  EXPECT_TRUE(std::isnan(at(metrics, 0.5).dice));
  EXPECT_EQ(at(metrics, 0.5).dice_all, 1);
  EXPECT_TRUE(to_json(metrics.result())[0].at("iou").is_null());
}

TEST(SegmentationMetrics, ImagesAreDecidedStrictlyAboveTheThreshold) {
  SegmentationMetrics metrics;
  metrics.add_image(0.75, true);
  metrics.add_image(0.9, true);
  metrics.add_image(0.5, false);
  metrics.add_image(0.8, false);
  metrics.add_image(0.1, false);
  const SegmentationFigures middle = at(metrics, 0.5);
  EXPECT_EQ(middle.images.tp, 2);
  EXPECT_EQ(middle.images.fp, 1);
  EXPECT_EQ(middle.images.tn, 2);
  EXPECT_EQ(middle.images.fn, 0);
  const SegmentationFigures high = at(metrics, 0.75);
  EXPECT_DOUBLE_EQ(high.true_positive_rate(), 0.5);
  EXPECT_DOUBLE_EQ(high.true_negative_rate(), 2.0 / 3);
}

TEST(SegmentationMetrics, AMaskOfAnotherSizeIsRefused) {
  SegmentationMetrics metrics;
  test::expect_error(ErrorCode::kShapeMismatch, {"4 pixels", "3"},
                     [&] { metrics.add_pixels(kFour, Mask(3, 0)); });
}

}  // namespace
}  // namespace uad

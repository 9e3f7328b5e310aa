// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/boxes.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/eval/metrics.h"
#include "core/eval/prediction_picture.h"

namespace uad {
namespace {

// Heat of the class activation example: specification, VGG-CAM, section 9, check 3.
const std::vector<float> kHeat{.875,   .78125,   .59375,   .5,    //
                               .65625, .6484375, .6328125, .625,  //
                               .21875, .3828125, .7109375, .875,  //
                               0,      .25,      .75,      1};

/// The example's map in a frame of some size, of an image that is defective with this probability.
ModelOutput output(double probability, double width = 4, double height = 4) {
  ModelOutput result{.score = probability, .map = {4, 4, kHeat}};
  for (float& value : result.map.values) {
    value *= static_cast<float>(std::min(1.0, 2 * probability));
  }
  result.placement = {0, 0, width, height};
  return result;
}

const Thresholds kProbability{};  // 0, 0.5, 1
constexpr BoxRule kSingle{.threshold = 0.7, .probability = true, .single = true};
constexpr BoxRule kParts{.threshold = 0.7, .probability = true};

TEST(Boxes, SingleBoxHoldsEveryPixelAboveTheThreshold) {
  for (const double probability : {0.5, 0.8, 1.0}) {
    EXPECT_EQ(defect_boxes(output(probability), kProbability, kSingle),
              (std::vector<Rect>{{0, 0, 4, 4}}));
  }
}

TEST(Boxes, EachConnectedPartHasItsOwnStrongestFirst) {
  EXPECT_EQ(defect_boxes(output(0.8), kProbability, kParts),
            (std::vector<Rect>{{2, 2, 2, 2}, {0, 0, 2, 1}}));
}

TEST(Boxes, AreInPixelsOfTheFrame) {
  EXPECT_EQ(defect_boxes(output(0.8, 8, 40), kProbability, kParts),
            (std::vector<Rect>{{4, 20, 4, 20}, {0, 0, 4, 10}}));
}

TEST(Boxes, OnlyWhereTheFrameIsRejectedAndSomethingIsAboveTheThreshold) {
  EXPECT_TRUE(defect_boxes(output(0.49), kProbability, kSingle).empty());
  ModelOutput flat = output(0.9);
  flat.map.values.assign(16, 0);
  EXPECT_TRUE(defect_boxes(flat, kProbability, kSingle).empty());
}

TEST(Boxes, TheThresholdIsThatOfRegionsAndTheRestComesFromTheModelsOptions) {
  Manifest manifest;
  manifest.thresholds.map.thr = 12;
  EXPECT_EQ(box_rule(manifest).threshold, 12);
  EXPECT_FALSE(box_rule(manifest).probability);
  manifest.options = {{"heatmap_thres", 0.6}, {"boxes", "single"}};
  EXPECT_EQ(box_rule(manifest).threshold, 12) << "as calibrated, not as trained";
  EXPECT_TRUE(box_rule(manifest).probability);
  EXPECT_TRUE(box_rule(manifest).single);
  manifest.options["boxes"] = "components";
  EXPECT_FALSE(box_rule(manifest).single);
}

TEST(Boxes, OverlapIsIntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 4}, {2, 2, 4, 4}), 4.0 / 28);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 4}, {0, 0, 4, 4}), 1);
  EXPECT_EQ(overlap({0, 0, 4, 4}, {4, 0, 4, 4}), 0);
  EXPECT_EQ(overlap({0, 0, 4, 4}, {}), 0);
  EXPECT_EQ(enclosing({{5, 1, 1, 1}, {2, 3, 2, 4}}), (Rect{2, 1, 4, 6}));
  EXPECT_TRUE(enclosing({}).empty());
}

TEST(Boxes, AreMeasuredOverTheDetectedDefects) {
  const RectF placement{0, 0, 8, 8};  // a map's pixel is 2x2 of the frame
  Image truth{4, 4, 1, std::vector<std::uint8_t>(16, 0)};
  BoxMetrics metrics;
  metrics.add({{0, 0, 8, 8}}, truth, placement);  // an empty mask is no defect
  truth.pixels[5] = 255;                          // x 1, y 1: frame pixels 2…3
  metrics.add({{2, 2, 2, 2}}, truth, placement);
  metrics.add({{4, 4, 4, 4}, {0, 0, 2, 2}}, truth, placement);  // around it, yet beside it
  metrics.add({}, truth, placement);
  const BoxMetrics::Result result = metrics.result();
  EXPECT_EQ(result.defects, 3);
  EXPECT_EQ(result.detected, 2);
  EXPECT_EQ(result.hits, 1);
  EXPECT_DOUBLE_EQ(result.hit_share, 0.5);
  EXPECT_DOUBLE_EQ(result.mean_iou, (1 + 4.0 / 64) / 2);
  EXPECT_TRUE(std::isnan(BoxMetrics().result().mean_iou));
}

// Specification, VGG-CAM, section 6: published with good as positive.
TEST(Confusion, BothConventionsTellTheSameDecisions) {
  const Confusion carpet{.tp = 57, .fp = 3, .fn = 4, .tn = 15};
  const Confusion anomaly = carpet.good_as_positive();
  EXPECT_EQ(anomaly.tp, 15);
  EXPECT_EQ(anomaly.fn, 3);
  EXPECT_EQ(anomaly.fp, 4);
  EXPECT_EQ(anomaly.tn, 57);
  EXPECT_NEAR(anomaly.accuracy(), 0.911392, 1e-6);
  EXPECT_NEAR(anomaly.balanced_accuracy(), 0.883880, 1e-6);
  EXPECT_EQ(anomaly.good_as_positive().tp, 57);
  const Confusion capsule{.tp = 19, .fp = 2, .fn = 3, .tn = 46};
  EXPECT_NEAR(capsule.accuracy(), 0.928571, 1e-6);
  EXPECT_NEAR(capsule.balanced_accuracy(), 0.910985, 1e-6);
}

TEST(PredictionPicture, TitleNamesClassProbabilityAndTruth) {
  const PredictionPicture picture{kProbability, kSingle};
  EXPECT_EQ(picture.title(output(0.9824), "crack"), "Anomaly 0.982, true: crack");
  EXPECT_EQ(picture.title(output(0.25), ""), "Good 0.750");
  PredictionPicture distance{kProbability, {.threshold = 5}};
  distance.thresholds.image = {0, 10, 20};
  EXPECT_EQ(distance.title({.score = 12}, ""), "Anomaly, score 0.600");
}

TEST(PredictionPicture, KindIsReadFromFolders) {
  EXPECT_EQ(kind_by_folder("data/tile/test/crack/7.png"), "crack");
  EXPECT_EQ(kind_by_folder("parts/good/7.png"), "good");
  EXPECT_EQ(kind_by_folder("inbox/7.png"), "");
}

struct Rgb {
  int red, green, blue;
  bool operator==(const Rgb&) const = default;
};

Rgb pixel(const Image& image, int x, int y) {
  const std::uint8_t* at = &image.pixels[(static_cast<std::size_t>(y) * image.width + x) * 3];
  return {at[0], at[1], at[2]};
}

TEST(PredictionPicture, DrawsBoxAndTint) {
  const Image grey{400, 400, 3, std::vector<std::uint8_t>(400 * 400 * 3, 100)};
  PredictionPicture picture{kProbability, kParts};
  const Image plain = picture.draw(view(grey), output(0.8, 400, 400), "crack");
  const int top = plain.height - 400;  // of the frame, below its title
  ASSERT_GT(top, 10);
  EXPECT_EQ(plain.width, 400);
  for (const int x : {199, 200, 201}) EXPECT_EQ(pixel(plain, x, top + 300), (Rgb{255, 0, 0})) << x;
  for (const int x : {197, 203, 300}) {
    EXPECT_EQ(pixel(plain, x, top + 300), (Rgb{100, 100, 100})) << x;
  }
  picture.show_heatmap = true;
  const Image tinted = picture.draw(view(grey), output(0.8, 400, 400), "crack");
  EXPECT_EQ(pixel(tinted, 380, top + 380), (Rgb{146, 70, 70}));  // heat 1: 30 % red
  EXPECT_EQ(pixel(tinted, 10, top + 390), (Rgb{100, 100, 100}));
  const Image good = picture.draw(view(grey), output(0.2, 400, 400), "");
  EXPECT_EQ(pixel(good, 200, top + 300).blue, 94);  // tinted less, and no box
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Example D of the evaluation specification and properties of pixel metrics.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/eval/metrics.h"
#include "tests/support/expect_error.h"

namespace {

using Scores = std::vector<float>;
using Mask = std::vector<std::uint8_t>;
using uad::ErrorCode;
using uad::PixelMetrics;
using uad::test::expect_error;

const Scores kFirst{.9F, .8F, .3F, .1F, .1F, .7F, .6F, .2F, .1F, .1F,
                    .1F, .1F, .1F, .2F, .5F, .1F, .1F, .1F, .1F, .2F};
const Mask kFirstMask{1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};

Scores second() {
  Scores scores(20, .1F);
  scores[6] = .65F;
  scores[12] = .4F;
  return scores;
}

PixelMetrics::Result example_d(double limit, std::size_t bins = 0) {
  PixelMetrics metrics({bins, 0, 1, limit});
  metrics.add(kFirst, kFirstMask, 5, 4);
  metrics.add(second(), Mask(20, 0), 5, 4);
  return metrics.result();
}

void expect_example_d(const PixelMetrics::Result& r) {
  EXPECT_EQ(r.pixels, 40);
  EXPECT_EQ(r.defect_pixels, 4);
  EXPECT_EQ(r.components, 2);
  EXPECT_NEAR(r.auroc, 0.9861111111, 1e-9);
  EXPECT_NEAR(r.average_precision, 0.9166666667, 1e-9);
  EXPECT_NEAR(r.f1.f1, 0.8571428571, 1e-9);
  EXPECT_EQ(r.f1.threshold, double{.7F});
  EXPECT_EQ(r.at_f1.tp, 3);
  EXPECT_EQ(r.at_f1.fp, 0);
  EXPECT_EQ(r.at_f1.fn, 1);
  EXPECT_EQ(r.at_f1.tn, 36);
  EXPECT_NEAR(r.aupro, 0.9074074074, 1e-9);
}

TEST(PixelMetrics, ExampleD) {
  const PixelMetrics::Result r = example_d(0.3);
  EXPECT_TRUE(r.exact);
  expect_example_d(r);
}

TEST(PixelMetrics, ExampleDAtOtherLimits) {
  EXPECT_NEAR(example_d(0.05).aupro, 0.5, 1e-9);
  EXPECT_NEAR(example_d(1).aupro, 0.9722222222, 1e-9);
}

TEST(PixelMetrics, FineHistogramEqualsExactWhereNoTwoScoresShareABin) {
  const PixelMetrics::Result r = example_d(0.3, 1 << 16);
  EXPECT_FALSE(r.exact);
  expect_example_d(r);
}

TEST(PixelMetrics, DiagonalNeighboursAreOneComponent) {
  PixelMetrics metrics({});
  metrics.add(Scores(9, .5F), Mask{0, 255, 0, 255, 0, 0, 0, 0, 0}, 3, 3);
  EXPECT_EQ(metrics.result().components, 1);
}

TEST(PixelMetrics, GoodImagesOnlyAreUndefined) {
  PixelMetrics metrics({});
  metrics.add(second(), Mask(20, 0), 5, 4);
  const PixelMetrics::Result r = metrics.result();
  EXPECT_TRUE(std::isnan(r.auroc) && std::isnan(r.average_precision) && std::isnan(r.aupro) &&
              std::isnan(r.f1.f1));
  EXPECT_EQ(r.pixels, 20);
}

struct RandomImages {
  std::vector<Scores> scores;
  std::vector<Mask> masks;
  static constexpr int kSide = 64;
  RandomImages() {
    std::mt19937 random(7);
    std::normal_distribution<float> noise(0, 1);
    for (int n = 0; n < 6; ++n) {
      Scores map(kSide * kSide);
      Mask mask(map.size(), 0);
      for (int i = 0; i < 5; ++i) {
        const std::size_t at = random() % (mask.size() - 70);
        for (const std::size_t d : {0, 1, 2, 64, 65}) mask[at + d] = 255;
      }
      for (std::size_t i = 0; i < map.size(); ++i) map[i] = noise(random) + (mask[i] != 0 ? 2 : 0);
      scores.push_back(map);
      masks.push_back(mask);
    }
  }
};

PixelMetrics::Result measure(const RandomImages& data, bool backwards, std::size_t bins = 0,
                             float factor = 1) {
  PixelMetrics metrics({bins, -6, 8, 0.3});
  for (std::size_t n = 0; n < data.scores.size(); ++n) {
    const std::size_t i = backwards ? data.scores.size() - 1 - n : n;
    Scores map = data.scores[i];
    for (float& score : map) score *= factor;
    metrics.add(map, data.masks[i], RandomImages::kSide, RandomImages::kSide);
    if (n == 2) (void)metrics.result();  // looking early must not disturb
  }
  return metrics.result();
}

TEST(PixelMetrics, OrderOfImagesAndEarlyResultsChangeNothing) {
  const RandomImages data;
  const PixelMetrics::Result a = measure(data, false);
  const PixelMetrics::Result b = measure(data, true);
  EXPECT_EQ(a.auroc, b.auroc);
  EXPECT_EQ(a.average_precision, b.average_precision);
  EXPECT_EQ(a.aupro, b.aupro);
  EXPECT_EQ(a.f1.threshold, b.f1.threshold);
}

TEST(PixelMetrics, PositiveFactorMovesOnlyTheThreshold) {
  const RandomImages data;
  const PixelMetrics::Result a = measure(data, false);
  const PixelMetrics::Result b = measure(data, false, 0, 4);
  EXPECT_EQ(a.auroc, b.auroc);
  EXPECT_EQ(a.aupro, b.aupro);
  EXPECT_EQ(a.f1.threshold * 4, b.f1.threshold);
}

TEST(PixelMetrics, HistogramIsNearTheExactAnswer) {
  const RandomImages data;
  const PixelMetrics::Result exact = measure(data, false);
  const PixelMetrics::Result counted = measure(data, false, 1 << 16);
  EXPECT_NEAR(counted.auroc, exact.auroc, 1e-5);
  EXPECT_NEAR(counted.average_precision, exact.average_precision, 1e-3);
  EXPECT_NEAR(counted.aupro, exact.aupro, 1e-4);
  EXPECT_NEAR(counted.f1.f1, exact.f1.f1, 1e-3);
}

TEST(PixelMetrics, ScoresOutsideTheHistogramCountInItsLastBins) {
  PixelMetrics metrics({4, 0, 1, 0.3});
  metrics.add(Scores{-5, 9, 0.5F, 0.1F}, Mask{0, 1, 0, 0}, 4, 1);
  const PixelMetrics::Result r = metrics.result();
  EXPECT_EQ(r.pixels, 4);
  EXPECT_EQ(r.auroc, 1);
  EXPECT_EQ(r.f1.threshold, 9);
}

TEST(PixelMetrics, BadInputIsRefused) {
  PixelMetrics metrics({});
  expect_error(ErrorCode::kShapeMismatch, {"2x2 = 4", "3 and 4"},
               [&] { metrics.add(Scores(3), Mask(4), 2, 2); });
  expect_error(ErrorCode::kBadOption, {"finite"}, [&] {
    metrics.add(Scores{1, std::nanf("")}, Mask(2), 2, 1);
  });
  EXPECT_EQ(metrics.result().pixels, 0);
  expect_error(ErrorCode::kBadOption, {"PRO"}, [] { PixelMetrics({0, 0, 1, 0}); });
  expect_error(ErrorCode::kBadOption, {"low < high"}, [] { PixelMetrics({9, 1, 1, 0.3}); });
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
// Examples A to D and the acceptance checks of the evaluation specification; their values were
// computed with scikit-learn 1.9 in float64, tolerance 1e-9.
#include "core/eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace {

using Scores = std::vector<float>;
using Labels = std::vector<std::uint8_t>;
using uad::ErrorCode;
using uad::PixelMetrics;
using uad::test::expect_error;

constexpr double kExact = 1e-9;

const Scores kScoresA{.1F, .4F, .35F, .8F, .4F, .4F, .2F, .9F};
const Labels kLabelsA{0, 0, 1, 1, 0, 1, 0, 1};
const Scores kScoresC{.9F, .8F, .7F, .6F, .5F};
const Labels kLabelsC{1, 0, 1, 0, 1};

TEST(Metrics, ExampleA) {
  EXPECT_NEAR(uad::auroc(kScoresA, kLabelsA), 0.8125, kExact);
  EXPECT_NEAR(uad::average_precision(kScoresA, kLabelsA), 0.8166666667, kExact);
  const uad::OptimalF1 best = uad::optimal_f1(kScoresA, kLabelsA);
  EXPECT_NEAR(best.f1, 0.8, kExact);
  EXPECT_EQ(best.threshold, double{.35F});
}

TEST(Metrics, ExampleAHasTheseCurves) {
  const uad::Curves curves = uad::curves(kScoresA, kLabelsA);
  const uad::Curve roc{{0, 0}, {0, .25}, {0, .5}, {.5, .75}, {.5, 1}, {.75, 1}, {1, 1}};
  EXPECT_EQ(curves.roc, roc);
  const uad::Curve recall_and_precision{{.25, 1},    {.5, 1},     {.75, .6},
                                        {1, 4. / 6}, {1, 4. / 7}, {1, .5}};
  EXPECT_EQ(curves.precision_recall, recall_and_precision);
  EXPECT_TRUE(curves.pro.empty());
}

TEST(Metrics, OneClassHasNoCurve) {
  EXPECT_TRUE(uad::curves(kScoresA, Labels(8, 0)).roc.empty());
  EXPECT_TRUE(uad::curves(kScoresA, Labels(8, 1)).precision_recall.empty());
}

TEST(Metrics, ExampleBAllScoresEqual) {
  const Scores scores{.5F, .5F, .5F, .5F};
  const Labels labels{0, 1, 1, 0};
  EXPECT_NEAR(uad::auroc(scores, labels), 0.5, kExact);
  EXPECT_NEAR(uad::average_precision(scores, labels), 0.5, kExact);
}

TEST(Metrics, ExampleC) {
  EXPECT_NEAR(uad::auroc(kScoresC, kLabelsC), 0.5, kExact);
  EXPECT_NEAR(uad::average_precision(kScoresC, kLabelsC), 0.7555555556, kExact);
  const uad::OptimalF1 best = uad::optimal_f1(kScoresC, kLabelsC);
  EXPECT_NEAR(best.f1, 0.75, kExact);
  EXPECT_EQ(best.threshold, 0.5);
}

TEST(Metrics, F1AtEveryThresholdOfExampleA) {
  const Scores thresholds{.1F, .2F, .35F, .4F, .8F, .9F};
  const std::vector<double> expected{2. / 3, 8. / 11, .8, 2. / 3, 2. / 3, .4};
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    EXPECT_NEAR(uad::confusion_at(kScoresA, kLabelsA, thresholds[i]).f1(), expected[i], kExact);
  }
}

TEST(Metrics, EqualF1TakesTheLowestThreshold) {
  // At .9: P = 1, R = 1/2; at .1: P = 1/2, R = 1. Both give F1 = 2/3.
  const Scores scores{.9F, .5F, .4F, .1F};
  const Labels labels{1, 0, 0, 1};
  const uad::OptimalF1 best = uad::optimal_f1(scores, labels);
  EXPECT_NEAR(best.f1, 2. / 3, kExact);
  EXPECT_EQ(best.threshold, double{.1F});
}

TEST(Metrics, ConfusionIncludesScoresEqualToTheThreshold) {
  const uad::Confusion c = uad::confusion_at(kScoresA, kLabelsA, double{.4F});
  EXPECT_EQ(c.tp, 3);
  EXPECT_EQ(c.fp, 2);
  EXPECT_EQ(c.fn, 1);
  EXPECT_EQ(c.tn, 2);
  EXPECT_NEAR(c.accuracy(), 5. / 8, kExact);
  EXPECT_NEAR(c.balanced_accuracy(), (3. / 4 + 2. / 4) / 2, kExact);
  EXPECT_NEAR(c.precision(), 3. / 5, kExact);
  EXPECT_NEAR(c.recall(), 3. / 4, kExact);
  EXPECT_NEAR(c.iou(), 3. / 6, kExact);
}

TEST(Metrics, OneClassIsUndefined) {
  const Scores scores{.1F, .2F};
  for (const Labels& labels : {Labels{0, 0}, Labels{1, 1}}) {
    EXPECT_TRUE(std::isnan(uad::auroc(scores, labels)));
    EXPECT_TRUE(std::isnan(uad::average_precision(scores, labels)));
    EXPECT_TRUE(std::isnan(uad::optimal_f1(scores, labels).f1));
    EXPECT_TRUE(std::isnan(uad::optimal_f1(scores, labels).threshold));
  }
  EXPECT_TRUE(std::isnan(uad::auroc({}, {})));
}

TEST(Metrics, NonFiniteScoreIsAnError) {
  for (const float bad : {std::nanf(""), INFINITY}) {
    const Scores scores{.1F, bad};
    const Labels labels{0, 1};
    expect_error(ErrorCode::kBadOption, {"finite"}, [&] { return uad::auroc(scores, labels); });
    expect_error(ErrorCode::kBadOption, {"finite"},
                 [&] { return uad::confusion_at(scores, labels, 0); });
  }
}

TEST(Metrics, MissingLabelsAreAnError) {
  expect_error(ErrorCode::kShapeMismatch, {"2 scores", "1 labels"}, [] {
    return uad::auroc(Scores{.1F, .2F}, Labels{1});
  });
}

/// Random scores on a coarse grid: many ties, some negative, both zeros.
struct Tied {
  Scores scores;
  Labels labels;
  Tied() {
    std::mt19937 random(3);
    for (int i = 0; i < 2000; ++i) {
      const int step = static_cast<int>(random() % 41) - 20;
      scores.push_back(static_cast<float>(step) * 0.25F * (random() % 2 != 0 ? 1.F : -1.F));
      labels.push_back(random() % 3 == 0 ? 1 : 0);
    }
  }
};

TEST(Metrics, TiesAgreeWithTheRankFormula) {
  const Tied data;
  double pairs = 0;
  double wins = 0;
  for (std::size_t i = 0; i < data.scores.size(); ++i) {
    for (std::size_t j = 0; j < data.scores.size(); ++j) {
      if (data.labels[i] == 0 || data.labels[j] != 0) continue;
      pairs += 1;
      wins += data.scores[i] > data.scores[j] ? 1 : data.scores[i] == data.scores[j] ? 0.5 : 0;
    }
  }
  EXPECT_NEAR(uad::auroc(data.scores, data.labels), wins / pairs, 1e-12);
}

TEST(Metrics, OrderChangesNothing) {
  Tied data;
  const double auroc = uad::auroc(data.scores, data.labels);
  const double ap = uad::average_precision(data.scores, data.labels);
  std::vector<std::size_t> order(data.scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  Tied shuffled;
  for (std::size_t i = 0; i < order.size(); ++i) {
    shuffled.scores[i] = data.scores[order[i]];
    shuffled.labels[i] = data.labels[order[i]];
  }
  EXPECT_EQ(uad::auroc(shuffled.scores, shuffled.labels), auroc);
  EXPECT_EQ(uad::average_precision(shuffled.scores, shuffled.labels), ap);
}

TEST(Metrics, ScaleAndShiftMoveOnlyTheThreshold) {
  const Tied data;
  Scores moved = data.scores;
  for (float& score : moved) score = score * 4 + 8;  // exact in binary
  EXPECT_EQ(uad::auroc(moved, data.labels), uad::auroc(data.scores, data.labels));
  EXPECT_EQ(uad::average_precision(moved, data.labels),
            uad::average_precision(data.scores, data.labels));
  const uad::OptimalF1 before = uad::optimal_f1(data.scores, data.labels);
  const uad::OptimalF1 after = uad::optimal_f1(moved, data.labels);
  EXPECT_EQ(after.f1, before.f1);
  EXPECT_EQ(after.threshold, before.threshold * 4 + 8);
}

}  // namespace

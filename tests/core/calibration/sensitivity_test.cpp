// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/sensitivity.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace uad {
namespace {

/// `left` in the left half, `right` in the other.
ScoreMap halves(float left, float right) {
  ScoreMap map{64, 32, {}};
  for (int i = 0; i < 64 * 32; ++i) map.values.push_back(i % 64 < 32 ? left : right);
  return map;
}

ModelOutput output(ScoreMap map, double score) {
  ModelOutput made;
  made.map = std::move(map);
  made.score = score;
  return made;
}

TEST(Sensitivity, WherePartsDifferTheModelHearsLess) {
  SensitivityFit fit;
  for (const float level : {1.0F, 2.0F, 3.0F}) fit.add(halves(1, level));
  const ScoreMap gains = fit.finish();
  EXPECT_NEAR(gains.at(16, 8) / gains.at(16, 56), 2 + 3 * std::sqrt(2.0 / 3), 1e-3)
      << "mean + 3 sd of 1, 2, 3 against 1";
}

TEST(Sensitivity, AGainStaysWithinItsBounds) {
  SensitivityFit fit;
  ScoreMap map = halves(1, 1);
  for (int i = 0; i < 64 * 8; ++i) map.values[static_cast<std::size_t>(i)] = 1000;
  for (int i = 64 * 24; i < 64 * 32; ++i) map.values[static_cast<std::size_t>(i)] = 0.001F;
  fit.add(map);
  fit.add(map);
  const ScoreMap gains = fit.finish();
  EXPECT_EQ(gains.at(0, 0), kLeastGain);
  EXPECT_EQ(gains.at(31, 0), kMostGain);
}

TEST(Sensitivity, WhatIsIgnoredKeepsItsThreshold) {
  SensitivityFit fit;
  fit.add(halves(0, 5));
  fit.add(halves(0, 5));
  EXPECT_EQ(fit.finish().at(16, 4), 1.0F);
  EXPECT_NEAR(fit.finish().at(16, 33), 1.0F, 1e-5) << "and does not touch what lies beside it";
}

TEST(Sensitivity, EqualEverywhereIsNoChange) {
  SensitivityFit fit;
  fit.add(halves(2, 2));
  fit.add(halves(3, 3));
  for (const float gain : fit.finish().values) EXPECT_NEAR(gain, 1, 1e-6);
}

TEST(Sensitivity, ScoreFollowsTheMapsMaximum) {
  ModelOutput changed = output(halves(2, 8), 4);
  apply_sensitivity(halves(2, 0.5), changed);
  EXPECT_EQ(changed.map, halves(4, 4));
  EXPECT_DOUBLE_EQ(changed.score, 2);
  ModelOutput same = output(halves(2, 8), 4);
  apply_sensitivity({}, same);
  EXPECT_EQ(same.map, halves(2, 8));
  EXPECT_EQ(same.score, 4);
}

TEST(Sensitivity, GainsOfAnotherSizeAreStretched) {
  ModelOutput changed = output(halves(1, 1), 1);
  apply_sensitivity({2, 1, {0.5, 2}}, changed);
  EXPECT_EQ(changed.map.at(16, 0), 0.5F);
  EXPECT_EQ(changed.map.at(16, 63), 2.0F);
  EXPECT_DOUBLE_EQ(changed.score, 2);
}

TEST(Sensitivity, MapsOfTwoSizesAreRefused) {
  SensitivityFit fit;
  fit.add(halves(1, 1));
  test::expect_error(ErrorCode::kBadOption, {"64x32", "2x1", "sensitivity=uniform"}, [&] {
    fit.add({2, 1, {1, 1}});
  });
}

}  // namespace
}  // namespace uad

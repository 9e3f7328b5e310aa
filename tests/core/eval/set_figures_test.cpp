// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/set_figures.h"

#include <vector>

#include <gtest/gtest.h>

namespace uad {
namespace {

TEST(SetFigures, ScalesOverTheSetAndDecidesAtBothThresholds) {
  const std::vector<float> scores{2, 3, 4, 8, 9, 12};
  const std::vector<std::uint8_t> labels{0, 0, 1, 0, 1, 1};
  const SetFigures found = set_figures(scores, labels, 0.7);
  EXPECT_EQ(found.lowest, 2);
  EXPECT_EQ(found.highest, 12);
  EXPECT_NEAR(found.auroc, 8.0 / 9, 1e-12);
  EXPECT_NEAR(found.youden, 0.7, 1e-6);  // score 9: TPR 2/3, FPR 0; 4 has the same sum
  EXPECT_EQ(found.at_youden.tp, 2);
  EXPECT_EQ(found.at_youden.fp, 0);
  EXPECT_NEAR(found.m_threshold, 0.7, 1e-6);
  EXPECT_EQ(found.m_tnr, 1);
  EXPECT_NEAR(found.m_tpr, 2.0 / 3, 1e-12);
}

TEST(SetFigures, TheFixedThresholdItselfIsNoDefect) {
  const std::vector<float> scores{0, 0.5F, 1};
  const std::vector<std::uint8_t> labels{0, 1, 1};
  EXPECT_EQ(set_figures(scores, labels, 0.5).at_fixed.tp, 1);
  EXPECT_EQ(set_figures(scores, labels, 0.49).at_fixed.tp, 2);
}

TEST(SetFigures, EqualScoresAreAllZero) {
  const SetFigures found =
      set_figures(std::vector<float>{3, 3}, std::vector<std::uint8_t>{0, 1}, 0.7);
  EXPECT_EQ(found.youden, 0);
  EXPECT_EQ(found.at_fixed.tp + found.at_fixed.fp, 0);
}

TEST(SetFigures, OneClassLeavesRatesUndefined) {
  const nlohmann::json found =
      to_json(set_figures(std::vector<float>{1, 2}, std::vector<std::uint8_t>{0, 0}, 0.7));
  EXPECT_TRUE(found["AUC"].is_null());
  EXPECT_TRUE(found["fixed"]["TPR"].is_null());
  EXPECT_EQ(found["fixed"]["TNR"], 0.5);
}

}  // namespace
}  // namespace uad

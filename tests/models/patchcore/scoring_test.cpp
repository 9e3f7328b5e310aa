// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/scoring.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using namespace uad::models::patchcore;  // NOLINT: the functions under test

const at::Tensor kVectors = at::tensor({0, 0, 1, 0, 0, 2, 3, 3, 4, 0}).to(at::kFloat).view({5, 2});
const at::Tensor kQuery = at::tensor({2.0F, 2.0F});
constexpr float kDistance = 1.41421356F;  // to vector 3

double score(std::int64_t neighbours, Reweight reweight) {
  return image_score(Bank(kVectors), kQuery, kDistance, 3, neighbours, reweight);
}

TEST(ImageScore, PaperWeightingFollowsTheWorkedExample) {
  EXPECT_NEAR(score(2, Reweight::kPaper), 0.908488, 1e-6);
  EXPECT_NEAR(score(3, Reweight::kPaper), 1.209541, 1e-6);
  EXPECT_NEAR(score(5, Reweight::kPaper), 1.307863, 1e-6);
}

TEST(ImageScore, QiWeightingFollowsTheWorkedExample) {
  EXPECT_NEAR(score(2, Reweight::kQi), 0.505726, 1e-6);
  EXPECT_NEAR(score(3, Reweight::kQi), 0.779850, 1e-6);
  EXPECT_NEAR(score(5, Reweight::kQi), 0.976766, 1e-6);
}

TEST(ImageScore, NoneIsTheDistance) { EXPECT_EQ(score(9, Reweight::kNone), kDistance); }

TEST(ImageScore, MoreNeighboursThanVectorsMeansAllOfThem) {
  EXPECT_EQ(score(9, Reweight::kPaper), score(5, Reweight::kPaper));
}

TEST(ImageScore, LargeDistancesDoNotOverflow) {
  const Bank bank(kVectors * 1000);
  const at::Tensor far = at::tensor({2e6F, 2e6F});
  const auto nearest = bank.nearest(far.unsqueeze(0));
  const double score = image_score(bank, far, nearest.distance.item<float>(),
                                   nearest.index.item<std::int64_t>(), 9, Reweight::kPaper);
  EXPECT_TRUE(std::isfinite(score));
}

}  // namespace

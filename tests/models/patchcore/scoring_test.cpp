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

TEST(AnomalyMap, FollowsTheWorkedExample) {
  const at::Tensor map =
      anomaly_map(at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 2}), {}, {}, 8, 8);
  EXPECT_NEAR(map.max().item<float>(), 2.987881, 1e-5);
  EXPECT_NEAR(map.min().item<float>(), 2.012119, 1e-5);
  const at::Tensor row =
      at::tensor({2.012119, 2.036876, 2.082624, 2.142397, 2.207095, 2.266868, 2.312615, 2.337373})
          .to(at::kFloat);
  EXPECT_TRUE(at::allclose(map[0], row, 0, 1e-5));
}

TEST(AnomalyMap, IgnoredPatchesNeitherLeakOutNorPullDown) {
  at::Tensor grid = at::full({4, 8}, 2.0F);
  at::Tensor kept = at::ones({4, 8}, at::kBool);
  at::Tensor keep = at::ones({32, 64}, at::kByte);
  grid.slice(1, 4).fill_(1000);
  kept.slice(1, 4).fill_(false);
  keep.slice(1, 32).fill_(0);
  const at::Tensor map = anomaly_map(grid, kept, keep, 32, 64);
  EXPECT_TRUE(at::allclose(map.slice(1, 0, 32), at::full({32, 32}, 2.0F), 1e-4, 0));
  EXPECT_EQ(map.slice(1, 32).abs().max().item<float>(), 0);
}

}  // namespace

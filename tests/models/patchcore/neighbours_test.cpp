// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/neighbours.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace {

using uad::models::patchcore::Bank;

void expect_brute_force(const at::Tensor& vectors, const at::Tensor& queries) {
  const auto [expected, at] =
      at::cdist(queries.to(at::kDouble), vectors.to(at::kDouble), 2, /*compute_mode=*/2).min(1);
  for (const bool bf16_bound : {false, true}) {
    const auto [distance, index] = Bank(vectors, bf16_bound).nearest(queries);
    EXPECT_TRUE(at::allclose(distance.to(at::kDouble), expected, 1e-5, 1e-6));
    EXPECT_TRUE(at::equal(index, at)) << "bf16 bound: " << bf16_bound;
  }
}

TEST(Neighbours, FollowTheWorkedExample) {
  const Bank bank(at::tensor({0, 0, 1, 0, 0, 2, 3, 3, 4, 0}).to(at::kFloat).view({5, 2}));
  const auto [distance, index] =
      bank.nearest(at::tensor({0.2F, 0.1F, 2.0F, 2.0F, 5.0F, 1.0F}).view({3, 2}));
  EXPECT_TRUE(at::allclose(distance, at::tensor({0.223607F, 1.414214F, 1.414214F}), 0, 1e-6));
  EXPECT_TRUE(at::equal(index, at::tensor({0, 3, 4}, at::kLong)));
}

// Strong and weak directions, as features have them: the lower bound decides most pairs.
TEST(Neighbours, EqualBruteForceOnCorrelatedVectors) {
  at::manual_seed(1);
  const at::Tensor mix = at::randn({384, 384}) * at::exp(at::arange(384) * -0.02).view({384, 1});
  const at::Tensor vectors = at::mm(at::randn({3000, 384}), mix) + 10;
  expect_brute_force(vectors, at::mm(at::randn({700, 384}), mix) + 10);
}

// Nothing to gain from a bound: everything falls through to the full search.
TEST(Neighbours, EqualBruteForceOnWhiteNoiseFarAway) {
  at::manual_seed(2);
  expect_brute_force(at::randn({3000, 40}), at::randn({300, 40}) * 3 + 20);
}

TEST(Neighbours, EqualBruteForceForSmallBanksAndOddSizes) {
  at::manual_seed(3);
  for (const std::int64_t size : {1, 2, 31, 511, 512, 1027}) {
    expect_brute_force(at::randn({size, 7}), at::randn({33, 7}));
  }
}

TEST(Neighbours, VectorOfTheBankIsAtDistanceZero) {
  at::manual_seed(4);
  const at::Tensor vectors = at::randn({2000, 96}) + 100;  // products alone would be off by 0.1
  const auto [distance, index] = Bank(vectors).nearest(vectors);
  EXPECT_EQ(distance.max().item<float>(), 0);
  EXPECT_TRUE(at::equal(index, at::arange(2000)));
}

TEST(Neighbours, LowestIndexWinsAmongEqualVectors) {
  at::manual_seed(5);
  const at::Tensor once = at::randn({700, 16});
  const auto [distance, index] = Bank(once.repeat({3, 1})).nearest(once + 1e-3);
  EXPECT_TRUE(at::equal(index, at::arange(700)));
}

TEST(Neighbours, OtherDimensionIsRefusedWithBothNumbers) {
  uad::test::expect_error(uad::ErrorCode::kShapeMismatch,
                          {"vectors of 3 values, but was asked for [2, 5]"}, [] {
                            return Bank(at::zeros({4, 3})).nearest(at::zeros({2, 5}));
                          });
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/scoring.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace uad::models::iuf {
namespace {

at::Tensor patch(std::int64_t side, float value) {
  at::Tensor map = at::zeros({1, 1, 224, 224});
  map.narrow(2, 50, side).narrow(3, 70, side).fill_(value);
  return map;
}

TEST(IufScoring, MapsAreEnlargedCornerOnCorner) {
  const at::Tensor ramp = at::arange(14, at::kFloat).view({1, 1, 1, 14}).expand({1, 1, 14, 14});
  const at::Tensor map = anomaly_map(ramp, at::zeros({1, 1, 14, 14}), 224, 224);
  ASSERT_EQ(map.sizes(), at::IntArrayRef({1, 1, 224, 224}));
  for (const auto& [pixel, value] :
       {std::pair{0, 0.0}, {1, 0.058296}, {16, 0.932735}, {111, 6.470852}, {223, 13.0}}) {
    EXPECT_NEAR(map[0][0][100][pixel].item<double>(), value, 2e-6);
  }
}

TEST(IufScoring, DistanceIsTheRootOfSummedSquares) {
  const at::Tensor features = at::zeros({2, 2, 3, 4});
  at::Tensor rebuilt = features.clone();
  rebuilt[1][0].fill_(3);
  rebuilt[1][1].fill_(-4);
  const at::Tensor map = anomaly_map(rebuilt, features, 48, 64);
  ASSERT_EQ(map.sizes(), at::IntArrayRef({2, 1, 48, 64}));
  EXPECT_TRUE((map[0] == 0).all().item<bool>());
  EXPECT_TRUE(at::allclose(map[1], at::full({1, 48, 64}, 5.0F)));
}

TEST(IufScoring, ScoresAreTheSpecifications) {
  const at::Tensor maps = at::cat({patch(32, 1), patch(8, 2)});
  const at::Tensor expected[]{at::tensor({0.0204082, 0.0025510}),
                              at::tensor({0.1413919, 0.0713830}), at::tensor({1.0, 0.5})};
  const at::Tensor found[]{map_mean(maps), map_deviation(maps), pooled_maximum(maps)};
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(found[i].sizes(), at::IntArrayRef({2}));
    EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(), 1e-6) << i;
  }
}

TEST(IufScoring, WindowsDoNotReachOverTheBorder) {
  at::Tensor map = at::zeros({1, 1, 32, 32});
  map.narrow(2, 0, 8).narrow(3, 0, 8).fill_(1);
  EXPECT_NEAR(pooled_maximum(map).item<double>(), 0.25, 1e-6);
}

}  // namespace
}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/neck.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/models/backbones/efficientnet_fixture.h"
#include "tests/models/golden_values.h"

namespace uad::models::iuf {
namespace {

using test::hashed_tensor;

TEST(IufNeck, ResizesCornerOnCorner) {
  const at::Tensor ramp = at::arange(112, at::kFloat).view({1, 1, 1, 112}).expand({1, 1, 112, 112});
  const at::Tensor along = align_features({ramp}, 14, 14);
  ASSERT_EQ(along.sizes(), at::IntArrayRef({1, 1, 14, 14}));
  for (const auto& [cell, value] :
       {std::pair{0, 0.0}, {1, 8.538462}, {2, 17.076923}, {12, 102.461538}, {13, 111.0}}) {
    EXPECT_NEAR(along[0][0][5][cell].item<double>(), value, 1e-4);
  }
  const at::Tensor down = align_features({ramp.transpose(2, 3)}, 14, 14);
  EXPECT_TRUE(at::allclose(down, along.transpose(2, 3), 1e-6, 1e-4));
}

TEST(IufNeck, GivesTheValuesOfTheSpecification) {
  const auto maps =
      test::efficientnet_as_specified().features(hashed_tensor("input", {1, 3, 224, 224}));
  const at::Tensor features = align_features(maps, 14, 14);
  ASSERT_EQ(features.sizes(), at::IntArrayRef({1, 272, 14, 14}));
  test::expect_golden(features, {0.000399069, 0.0743221, -0.255913, -0.00915492, -0.0133678});
}

TEST(IufNeck, KeepsTheOrderOfMapsAndMakesThemFloat32) {
  const at::Tensor fine = at::full({2, 3, 8, 6}, 1, at::kBFloat16);
  const at::Tensor coarse = at::full({2, 2, 4, 3}, 2, at::kBFloat16);
  const at::Tensor features = align_features({fine, coarse}, 4, 3);
  EXPECT_EQ(features.scalar_type(), at::kFloat);
  ASSERT_EQ(features.sizes(), at::IntArrayRef({2, 5, 4, 3}));
  EXPECT_TRUE((features.slice(1, 0, 3) == 1).all().item<bool>());
  EXPECT_TRUE((features.slice(1, 3) == 2).all().item<bool>());
}

TEST(IufNeck, TokensFollowTheRows) {
  const at::Tensor features = at::arange(2 * 5 * 2 * 3, at::kFloat).view({2, 5, 2, 3});
  const at::Tensor tokens = as_tokens(features);
  ASSERT_EQ(tokens.sizes(), at::IntArrayRef({6, 2, 5}));
  EXPECT_TRUE(at::equal(tokens[4][1], features.select(0, 1).select(1, 1).select(1, 1)));
}

}  // namespace
}  // namespace uad::models::iuf

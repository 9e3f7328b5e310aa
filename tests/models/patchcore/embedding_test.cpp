// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using uad::models::patchcore::embed;
constexpr auto kNearest = uad::models::patchcore::Upsampling::kNearest;
constexpr auto kBilinear = uad::models::patchcore::Upsampling::kBilinear;

TEST(Embedding, PoolingDividesByNineAtBordersToo) {
  const at::Tensor pooled = embed({at::ones({1, 1, 3, 3})}, kNearest).patches.view({3, 3});
  const at::Tensor expected =
      at::tensor({4.0F, 6.0F, 4.0F, 6.0F, 9.0F, 6.0F, 4.0F, 6.0F, 4.0F}).view({3, 3}) / 9;
  EXPECT_TRUE(at::allclose(pooled, expected));
}

TEST(Embedding, RowsAreImagesThenRowsThenColumns) {
  const at::Tensor map = at::arange(2 * 2 * 4 * 5, at::kFloat).view({2, 2, 4, 5});
  const auto embedding = embed({map}, kNearest);
  ASSERT_EQ(embedding.patches.sizes(), at::IntArrayRef({40, 2}));
  const at::Tensor inner = map.slice(2, 1, 4).slice(3, 2, 5).mean({2, 3});  // around (2, 3)
  EXPECT_TRUE(at::allclose(embedding.patches[20 + 2 * 5 + 3], inner[1]));
}

TEST(Embedding, CoarserMapIsRepeatedToTheFinerGridWhateverItsSize) {
  const at::Tensor coarse = at::tensor({1.0F, 2.0F, 3.0F}).view({1, 1, 1, 3});
  const auto embedding = embed({at::zeros({1, 4, 1, 5}), coarse}, kNearest);
  ASSERT_EQ(embedding.patches.sizes(), at::IntArrayRef({5, 5}));
  // Pooled first: (1+2)/9, (1+2+3)/9, (2+3)/9; then columns 0 0 1 1 2.
  const at::Tensor expected = at::tensor({3.0F, 3.0F, 6.0F, 6.0F, 5.0F}) / 9;
  EXPECT_TRUE(at::allclose(embedding.patches.select(1, 4), expected));
}

TEST(Embedding, BilinearUpsamplingHasHalfPixelCentres) {
  const at::Tensor wide = at::tensor({0.0F, 0.0F, 9.0F, 9.0F}).view({1, 1, 1, 4});
  const at::Tensor row = embed({at::zeros({1, 1, 1, 8}), wide}, kBilinear).patches.select(1, 1);
  // Pooled: 0 1 2 2.
  EXPECT_TRUE(at::allclose(row, at::tensor({0.0F, 0.25F, 0.75F, 1.25F, 1.75F, 2.0F, 2.0F, 2.0F})));
}

TEST(Embedding, PatchCountsWhenHalfOfItIsKept) {
  at::Tensor keep = at::zeros({1, 1, 4, 8}, at::kByte);
  keep.slice(3, 0, 6).fill_(1);  // columns 0-5: cells of 4 columns are full and half full
  using uad::models::patchcore::kept_patches;
  EXPECT_TRUE(at::equal(kept_patches(keep, 1, 2), at::tensor({1, 1}).to(at::kBool)));
  EXPECT_TRUE(
      at::equal(kept_patches(keep.slice(3, 3), 1, 5), at::tensor({1, 1, 1, 0, 0}).to(at::kBool)));
  EXPECT_FALSE(kept_patches({}, 1, 2).defined());
}

}  // namespace

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using uad::models::patchcore::embed_means;
using uad::models::patchcore::embed_neighbourhoods;
constexpr auto kNearest = uad::models::patchcore::Upsampling::kNearest;
constexpr auto kBilinear = uad::models::patchcore::Upsampling::kBilinear;

TEST(Embedding, PoolingDividesByNineAtBordersToo) {
  const at::Tensor pooled = embed_means({at::ones({1, 1, 3, 3})}, kNearest).patches.view({3, 3});
  const at::Tensor expected =
      at::tensor({4.0F, 6.0F, 4.0F, 6.0F, 9.0F, 6.0F, 4.0F, 6.0F, 4.0F}).view({3, 3}) / 9;
  EXPECT_TRUE(at::allclose(pooled, expected));
}

TEST(Embedding, RowsAreImagesThenRowsThenColumns) {
  const at::Tensor map = at::arange(2 * 2 * 4 * 5, at::kFloat).view({2, 2, 4, 5});
  const auto embedding = embed_means({map}, kNearest);
  ASSERT_EQ(embedding.patches.sizes(), at::IntArrayRef({40, 2}));
  const at::Tensor inner = map.slice(2, 1, 4).slice(3, 2, 5).mean({2, 3});  // around (2, 3)
  EXPECT_TRUE(at::allclose(embedding.patches[20 + 2 * 5 + 3], inner[1]));
}

TEST(Embedding, CoarserMapIsRepeatedToTheFinerGridWhateverItsSize) {
  const at::Tensor coarse = at::tensor({1.0F, 2.0F, 3.0F}).view({1, 1, 1, 3});
  const auto embedding = embed_means({at::zeros({1, 4, 1, 5}), coarse}, kNearest);
  ASSERT_EQ(embedding.patches.sizes(), at::IntArrayRef({5, 5}));
  // Pooled first: (1+2)/9, (1+2+3)/9, (2+3)/9; then columns 0 0 1 1 2.
  const at::Tensor expected = at::tensor({3.0F, 3.0F, 6.0F, 6.0F, 5.0F}) / 9;
  EXPECT_TRUE(at::allclose(embedding.patches.select(1, 4), expected));
}

TEST(Embedding, BilinearUpsamplingHasHalfPixelCentres) {
  const at::Tensor wide = at::tensor({0.0F, 0.0F, 9.0F, 9.0F}).view({1, 1, 1, 4});
  const at::Tensor row =
      embed_means({at::zeros({1, 1, 1, 8}), wide}, kBilinear).patches.select(1, 1);
  // Pooled: 0 1 2 2.
  EXPECT_TRUE(at::allclose(row, at::tensor({0.0F, 0.25F, 0.75F, 1.25F, 1.75F, 2.0F, 2.0F, 2.0F})));
}

TEST(Embedding, NeighbourhoodsAreAveragedLikeThePapersCode) {
  at::manual_seed(4);
  const at::Tensor fine = at::randn({2, 128, 6, 5});
  const at::Tensor coarse = at::randn({2, 256, 3, 3});
  const auto embedding = embed_neighbourhoods({fine, coarse}, kBilinear);
  ASSERT_EQ(embedding.patches.sizes(), at::IntArrayRef({2 * 6 * 5, 1024}));
  // In the order of the paper's code: every element of the coarse neighbourhoods is enlarged, and
  // only then averaged.
  const auto cells = [](const at::Tensor& map) {
    return at::im2col(map, {3, 3}, {1, 1}, {1, 1}, {1, 1}).view({2, -1, map.size(2), map.size(3)});
  };
  const auto down = [](const at::Tensor& rows) {
    // Output i averages the inputs floor(i n / m) … ceil((i + 1) n / m) - 1.
    const std::int64_t n = rows.size(1);
    at::Tensor means = at::empty({rows.size(0), 1024});
    for (std::int64_t i = 0; i < 1024; ++i) {
      means.select(1, i) = rows.slice(1, i * n / 1024, ((i + 1) * n + 1023) / 1024).mean(1);
    }
    return means;
  };
  const auto rows = [](const at::Tensor& map) { return map.permute({0, 2, 3, 1}).flatten(0, 2); };
  const at::Tensor enlarged = at::upsample_bilinear2d(cells(coarse), {6, 5}, false);
  const at::Tensor expected = down(at::cat({down(rows(cells(fine))), down(rows(enlarged))}, 1));
  EXPECT_TRUE(at::allclose(embedding.patches, expected, 1e-4, 1e-5));
}

}  // namespace

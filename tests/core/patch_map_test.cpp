// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/patch_map.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using uad::anomaly_maps;
using uad::kept_patches;

TEST(KeptPatches, CountWhereHalfOfTheirPixelsAreKept) {
  at::Tensor keep = at::zeros({1, 1, 4, 8}, at::kByte);
  keep.slice(3, 0, 6).fill_(1);  // columns 0-5: cells of 4 columns are full and half full
  EXPECT_TRUE(at::equal(kept_patches(keep, 1, 2)[0][0], at::tensor({1, 1}).to(at::kBool)));
  EXPECT_TRUE(at::equal(kept_patches(keep.slice(3, 3), 1, 5)[0][0],
                        at::tensor({1, 1, 1, 0, 0}).to(at::kBool)));
  EXPECT_FALSE(kept_patches({}, 1, 2).defined());
}

TEST(AnomalyMaps, FollowTheWorkedExample) {
  const at::Tensor values = at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 2, 2});
  const at::Tensor map = anomaly_maps(values, {}, {at::zeros({1, 3, 8, 8})})[0][0];
  EXPECT_NEAR(map.max().item<float>(), 2.987881, 1e-5);
  EXPECT_NEAR(map.min().item<float>(), 2.012119, 1e-5);
  const at::Tensor row =
      at::tensor({2.012119, 2.036876, 2.082624, 2.142397, 2.207095, 2.266868, 2.312615, 2.337373})
          .to(at::kFloat);
  EXPECT_TRUE(at::allclose(map[0], row, 0, 1e-5));
}

// Cells of 16 and 32 pixels are wider than the blur: in the middle of each lies its own value.
TEST(AnomalyMaps, AnomalibsStyleMakesBlocksAndMirrorsThem) {
  const at::Tensor values = at::tensor({1.0F, 3.0F}).view({1, 1, 2});
  const auto map = [&](std::int64_t side) {
    const uad::Tiles tiles{at::zeros({1, 3, side, 2 * side})};
    return anomaly_maps(values, {}, tiles, uad::MapStyle::kAnomalib)[0][0];
  };
  const at::Tensor wide = map(64)[32];
  EXPECT_TRUE(at::allclose(wide.slice(0, 0, 48), at::ones({48}), 0, 1e-5));
  EXPECT_TRUE(at::allclose(wide.slice(0, 80), at::full({48}, 3.0F), 0, 1e-5));
  EXPECT_NEAR(wide[63].item<float>(), 2 - 0.099739, 1e-4);  // half of the middle tap short of 2
  // Mirrored at the pixel and not beside it: what lies at distance x beyond the edge is pixel x.
  at::Tensor blocks = at::cat({at::ones({8}), at::full({8}, 3.0F)});
  const at::Tensor padded =
      at::cat({blocks.slice(0, 1).flip(0), blocks, blocks.slice(0, 0, 15).flip(0)});
  const at::Tensor taps = at::exp(-at::arange(-16, 17, at::kFloat).square() / 32);
  const at::Tensor at_edge = (at::constant_pad_nd(padded, {1, 1}, 0).slice(0, 0, 33) * taps).sum();
  EXPECT_NEAR(map(8)[4][0].item<float>(), (at_edge / taps.sum()).item<float>(), 2e-3);
}

TEST(AnomalyMaps, IgnoredPatchesNeitherLeakOutNorPullDown) {
  at::Tensor values = at::full({1, 4, 8}, 2.0F);
  at::Tensor keep = at::ones({1, 1, 32, 64}, at::kByte);
  values.slice(2, 4).fill_(1000);
  keep.slice(3, 32).fill_(0);
  const at::Tensor kept = kept_patches(keep, 4, 8);
  const at::Tensor map = anomaly_maps(values, kept, {at::zeros({1, 3, 32, 64}), keep})[0][0];
  EXPECT_TRUE(at::allclose(map.slice(1, 0, 32), at::full({32, 32}, 2.0F), 1e-4, 0));
  EXPECT_EQ(map.slice(1, 32).abs().max().item<float>(), 0);
}

}  // namespace

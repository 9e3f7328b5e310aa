// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/redrawing.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/core/frame_list.h"

namespace uad {
namespace {

using test::flat_image;

/// Black and white squares of one pixel.
Image checkerboard(bool white_first) {
  Image image = flat_image(32, 32, 0);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool white = ((x + y) % 2 == 0) == white_first;
      for (int c = 0; c < 3; ++c) {
        image.pixels[static_cast<std::size_t>((y * 32 + x) * 3 + c)] = white ? 255 : 0;
      }
    }
  }
  return image;
}

TEST(Likeness, OfAnImageToItselfIsOne) {
  const Likeness found = likeness(checkerboard(true), checkerboard(true));
  EXPECT_EQ(found.mse, 0);
  EXPECT_EQ(found.mae, 0);
  EXPECT_NEAR(found.ssim, 1, 1e-12);
}

TEST(Likeness, OfFlatImagesIsThatOfTheirLevels) {
  const Likeness found = likeness(flat_image(32, 32, 51), flat_image(32, 32, 153));
  EXPECT_NEAR(found.mae, 0.4, 1e-9);
  EXPECT_NEAR(found.mse, 0.16, 1e-9);
  // (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4), the contrast's factor is 1
  EXPECT_NEAR(found.ssim, 0.2401 / 0.4001, 1e-6);
}

TEST(Likeness, OfAnInvertedPatternIsNegative) {
  const Likeness found = likeness(checkerboard(true), checkerboard(false));
  EXPECT_EQ(found.mae, 1);
  // variances 1/4, covariance -1/4: (-0.5 + 9e-4) / (0.5 + 9e-4)
  EXPECT_NEAR(found.ssim, -0.4991 / 0.5009, 1e-3);
}

TEST(Likeness, IsTheMeanOfTheChannels) {
  Image red = flat_image(32, 32, 0);
  for (std::size_t i = 0; i < red.pixels.size(); i += 3) red.pixels[i] = 255;
  const Likeness found = likeness(flat_image(32, 32, 0), red);
  EXPECT_NEAR(found.mae, 1.0 / 3, 1e-9);
  EXPECT_NEAR(found.ssim, (2 + 1e-4 / (1 + 1e-4)) / 3, 1e-6);
}

TEST(RedrawnTiles, AreLevelsAgainAndCutOffAtTheEnds) {
  const InputSpec input{.mean = {0.5F, 0.5F, 0.5F}, .std = {0.5F, 0.5F, 0.5F}};
  const auto tiles = redrawn_tiles(
      {at::full({2, 3, 16, 16}, 0.2, at::kFloat), at::full({2, 3, 16, 16}, 1.3, at::kFloat)},
      input);
  ASSERT_EQ(tiles.size(), 2U);
  EXPECT_EQ(tiles[1].image, flat_image(16, 16, 153));
  EXPECT_EQ(tiles[1].copy, flat_image(16, 16, 255));
}

TEST(DrawRedrawn, MakesARowOfThreePanelsForEachTile) {
  const RedrawnTile same{flat_image(32, 32, 90), flat_image(32, 32, 90)};
  const RedrawnTile other{flat_image(32, 32, 90), flat_image(32, 32, 255)};
  const Image picture = draw_redrawn({same, other});
  EXPECT_EQ(picture.width, 3 * (256 + 12) + 12 + 56);
  EXPECT_EQ(picture.height, 2 * (28 + 256 + 12));
  const auto difference = [&](int row) {  // red and blue in the middle of the third panel
    const std::size_t at =
        static_cast<std::size_t>(((28 + 128 + row * 296) * picture.width + 12 + 2 * 268 + 128) * 3);
    return std::pair{picture.pixels[at], picture.pixels[at + 2]};
  };
  EXPECT_EQ(difference(0).first, 0);  // blue: none
  EXPECT_GT(difference(0).second, 100);
  EXPECT_GT(difference(1).first, 100);  // red: much
  EXPECT_EQ(difference(1).second, 0);
}

}  // namespace
}  // namespace uad

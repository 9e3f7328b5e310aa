// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/augmentation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace uad::models::uf_gan {
namespace {

/// A row 0, 1, 2 … in every row of every channel.
at::Tensor ramp(std::int64_t size) {
  return at::arange(size, at::kFloat).view({1, 1, 1, size}).expand({1, 3, size, size}).contiguous();
}

at::Tensor row(const at::Tensor& images) { return images[0][0][0]; }

TEST(UfGanAugmentation, NothingChangesWhereNothingIsAsked) {
  const at::Tensor images = at::rand({2, 3, 16, 16});
  EXPECT_TRUE(changed(images, {{}, {}}).allclose(images, 1e-5, 1e-5));
}

TEST(UfGanAugmentation, ShiftsToTheRightAndMirrorsWithTheEdgeTwice) {
  const at::Tensor found = row(changed(ramp(10), {{.shift_x = 0.3}}));
  EXPECT_TRUE(found.allclose(at::tensor({2, 1, 0, 0, 1, 2, 3, 4, 5, 6}, at::kFloat), 1e-5, 1e-5));
}

TEST(UfGanAugmentation, ZoomsAroundTheMiddle) {
  const at::Tensor found = row(changed(ramp(11), {{.zoom_x = 0.9}}));
  EXPECT_NEAR(found[5].item<double>(), 5, 1e-5);
  EXPECT_NEAR(found[0].item<double>(), 0.5, 1e-5);
  EXPECT_NEAR(found[10].item<double>(), 9.5, 1e-5);
}

TEST(UfGanAugmentation, FlipsEachImageByItself) {
  const at::Tensor images = at::rand({2, 3, 8, 8});
  const at::Tensor found = changed(images, {{.flip_x = true}, {.flip_y = true}});
  EXPECT_TRUE(found[0].allclose(images[0].flip(2), 1e-5, 1e-5));
  EXPECT_TRUE(found[1].allclose(images[1].flip(1), 1e-5, 1e-5));
}

TEST(UfGanAugmentation, DrawsStayInTheirRangesAndFollowTheSeed) {
  int flips = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Change change = draw_change(seed);
    for (const double shift : {change.shift_x, change.shift_y}) EXPECT_LE(std::abs(shift), 0.1);
    for (const double zoom : {change.zoom_x, change.zoom_y}) EXPECT_LE(std::abs(zoom - 1), 0.1);
    flips += change.flip_x ? 1 : 0;
  }
  EXPECT_NEAR(flips, 500, 80);
  EXPECT_EQ(draw_change(7).shift_x, draw_change(7).shift_x);
  EXPECT_NE(draw_change(7).shift_x, draw_change(8).shift_x);
}

}  // namespace
}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/localisation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

using uad::models::vgg_cam::class_maps;
using uad::models::vgg_cam::heat_maps;

void expect_near(const at::Tensor& found, const std::vector<float>& expected) {
  const at::Tensor wanted = at::tensor(expected).view_as(found);
  EXPECT_TRUE(at::allclose(found, wanted, 0, 1e-6)) << found << "\nexpected\n" << wanted;
}

// Specification, section 9, check 3.
at::Tensor example() {
  const at::Tensor features = at::tensor({1.F, 0.F, 0.F, 2.F, 0.F, 1.F, 3.F, 0.F});
  return class_maps(features.view({1, 2, 2, 2}), at::tensor({0.5F, -1.F}).view({1, 2}));
}

TEST(Localisation, ClassMapIsTheWeightedSumOfTheFeatures) {
  expect_near(example(), {0.5, -1, -3, 1});
}

TEST(Localisation, HeatIsTheEnlargedClassMapStretchedTo0And1) {
  expect_near(heat_maps(example(), 4, 4), {.875, .78125, .59375, .5,          //
                                           .65625, .6484375, .6328125, .625,  //
                                           .21875, .3828125, .7109375, .875,  //
                                           0, .25, .75, 1});
}

TEST(Localisation, EachImageAndClassIsStretchedByItself) {
  const at::Tensor maps = at::cat({example(), example() * 5 + 7}, 1);
  const at::Tensor heat = heat_maps(at::cat({maps, maps * -1}), 6, 6);
  EXPECT_TRUE(at::allclose(heat[0][1], heat[0][0], 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(heat[1], 1 - heat[0], 1e-5, 1e-6));
}

TEST(Localisation, ConstantMapIsZero) {
  EXPECT_EQ(heat_maps(at::full({1, 1, 2, 2}, 3.5F), 4, 4).abs().max().item<float>(), 0);
}

TEST(Localisation, IgnoredPixelsAreZeroAndStretchNothing) {
  at::Tensor keep = at::ones({1, 1, 4, 4}, at::kByte);
  keep.slice(2, 3).fill_(0);  // the row that holds both the minimum and the maximum
  const at::Tensor heat = heat_maps(example(), 4, 4, keep);
  EXPECT_EQ(heat[0][0][3].abs().max().item<float>(), 0);
  EXPECT_FLOAT_EQ(heat[0][0].slice(0, 0, 3).max().item<float>(), 1);
  EXPECT_FLOAT_EQ(heat[0][0][2][0].item<float>(), 0);
  EXPECT_EQ(heat_maps(example(), 4, 4, keep * 0).abs().max().item<float>(), 0);
}

}  // namespace

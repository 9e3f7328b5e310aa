// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/backbones.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/models/backbones/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::ErrorCode;
using uad::models::find_backbone_weights;
using uad::models::make_backbone;
using uad::test::expect_error;

TEST(Backbones, MissingWeightsNameFileFolderAndScript) {
  const uad::test::TempDir folder;
  std::ofstream(folder / "resnet180.pth") << "another network";
  std::ofstream(folder / "resnet18.txt") << "notes";
  expect_error(
      ErrorCode::kNotFound,
      {"resnet18*.pth", folder.path().string(), "scripts/fetch-weights", "UAD_WEIGHTS_DIR"},
      [&] { return find_backbone_weights("resnet18", folder.path()); });
  expect_error(ErrorCode::kNotFound, {"cannot be read"},
               [&] { return find_backbone_weights("resnet18", folder / "nowhere"); });
}

TEST(Backbones, GaborNeedsNoFolder) {
  const auto weights = find_backbone_weights("gabor", "");
  EXPECT_TRUE(weights.tensors.empty());
  EXPECT_EQ(make_backbone("gabor", "layer2,layer3", weights, {})->layers().size(), 2U);
}

TEST(Backbones, LayersComeInTheOrderAskedFor) {
  const auto backbone =
      make_backbone("resnet18", "layer1,layer3", {uad::test::resnet18_fixture(), "x", ""}, {});
  const auto features = backbone->features(at::zeros({1, 3, 64, 64}));
  ASSERT_EQ(features.size(), 2U);
  EXPECT_EQ(features[0].size(1), 64);
  EXPECT_EQ(features[1].size(1), 256);
}

TEST(Backbones, UnknownNamesAreAnsweredWithTheKnownOnes) {
  expect_error(ErrorCode::kBadOption, {"resnet81", "gabor, resnet18"},
               [] { return make_backbone("resnet81", "layer2", {}, {}); });
  for (const char* layers : {"layer9", "layer3,layer2", "", "layer2,"}) {
    expect_error(ErrorCode::kBadOption, {"layer1, layer2, layer3"},
                 [&] { return make_backbone("gabor", layers, {}, {}); });
  }
}

}  // namespace

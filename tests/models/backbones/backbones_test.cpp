// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/backbones.h"

#include <cstdlib>
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

// Every network with every layer: shapes of what it announces.
TEST(Backbones, FeaturesHaveTheAnnouncedChannels) {
  const char* const data = std::getenv("UAD_SHARED_DATA");
  const auto root = std::filesystem::path(data) / "weights";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no weights in " << root;
  for (const char* name : {"mobilenet_v2", "squeezenet1_1"}) {
    const auto weights = find_backbone_weights(name, root);
    const auto network = make_backbone(name, "layer1,layer2,layer3", weights, {});
    const at::Tensor images = uad::test::hashed_tensor("input", {2, 3, 65, 98});
    const auto features = network->features(images);
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto& layer = network->layers()[i];
      EXPECT_EQ(features[i].size(1), layer.channels);
      EXPECT_NEAR(static_cast<double>(features[i].size(2)), 65.0 / layer.stride, 1.3);
      EXPECT_NEAR(static_cast<double>(features[i].size(3)), 98.0 / layer.stride, 1.3);
      EXPECT_TRUE(features[i].is_contiguous(at::MemoryFormat::ChannelsLast));
    }
    // What is stored in a model file makes the same network, and a single layer needs no more.
    const auto again = make_backbone(name, "layer1", {network->weights(), "model.uad", ""}, {});
    EXPECT_TRUE(at::equal(again->features(images).front(), features.front()));
    EXPECT_LT(again->weights().size(), network->weights().size());
  }
}

TEST(Backbones, WeightsOfAnotherNetworkAreRefused) {
  const uad::models::BackboneWeights other{uad::test::resnet18_fixture(), "wrong.pth", ""};
  for (const char* name : {"mobilenet_v2", "squeezenet1_1", "resnet50", "wide_resnet50_2"}) {
    expect_error(ErrorCode::kBadFile, {"wrong.pth", name, "scripts/fetch-weights"},
                 [&] { return make_backbone(name, "layer2,layer3", other, {}); });
  }
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
  expect_error(ErrorCode::kBadOption, {"resnet81", "gabor, mobilenet_v2, resnet18, resnet34"},
               [] { return make_backbone("resnet81", "layer2", {}, {}); });
  for (const char* layers : {"layer9", "layer3,layer2", "", "layer2,"}) {
    expect_error(ErrorCode::kBadOption, {"layer1, layer2, layer3"},
                 [&] { return make_backbone("gabor", layers, {}, {}); });
  }
}

}  // namespace

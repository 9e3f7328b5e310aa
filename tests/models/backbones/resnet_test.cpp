// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/resnet.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/files/state_dict.h"
#include "tests/models/backbones/fixture.h"
#include "tests/support/expect_error.h"

namespace {

using uad::test::hashed_tensor;
using uad::test::resnet18_fixture;

const auto kFloat32 = at::TensorOptions().dtype(at::kFloat);

uad::models::ResNet18 fixture_network(at::TensorOptions place = kFloat32) {
  return {resnet18_fixture(), "fixture", uad::models::resnet18_layers(), place};
}

TEST(HashedFixture, FollowsTheSpecification) {
  EXPECT_EQ(uad::test::fnv1a("conv1.weight"), 0x69a29a2cee47d254U);
  EXPECT_NEAR(uad::test::hashed_unit("conv1.weight", 0), 0.54507494, 1e-8);
  EXPECT_NEAR(uad::test::hashed_unit("conv1.weight", 2), 0.96001887, 1e-8);
}

TEST(ResNet18, GivesTheValuesOfTheSpecification) {
  struct Expected {
    double mean, std, first, last, middle;
  };
  const std::vector<Expected> expected{{2.25327, 2.48579, 1.19044, 1.80881, 3.04884},
                                       {3.53029, 4.08938, 0, 0.508104, 0},
                                       {6.61668, 8.23908, 0, 3.33422, 11.3006}};
  const auto features = fixture_network().features(hashed_tensor("input", {1, 3, 224, 224}));
  ASSERT_EQ(features.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const at::Tensor map = features[i][0].contiguous();
    const double std = map.std(/*unbiased=*/false).item<double>();
    EXPECT_NEAR(map.mean().item<double>(), expected[i].mean, 1e-3 * expected[i].mean);
    EXPECT_NEAR(std, expected[i].std, 1e-3 * expected[i].std);
    const at::Tensor middle = map[map.size(0) / 2][map.size(1) / 2][map.size(2) / 2];
    EXPECT_NEAR(map[0][0][0].item<double>(), expected[i].first, 2e-3 * std);
    EXPECT_NEAR(map[-1][-1][-1].item<double>(), expected[i].last, 2e-3 * std);
    EXPECT_NEAR(middle.item<double>(), expected[i].middle, 2e-3 * std);
  }
}

TEST(ResNet18, TakesAnySizeAndKeepsItsGrids) {
  const auto network = fixture_network();
  for (const auto& [height, width] : {std::pair{65, 97}, {33, 200}, {224, 224}}) {
    const auto features = network.features(hashed_tensor("input", {2, 3, height, width}));
    for (std::size_t i = 0; i < features.size(); ++i) {
      const std::int64_t stride = network.layers()[i].stride;
      EXPECT_EQ(features[i].sizes(),
                at::IntArrayRef({2, network.layers()[i].channels, (height + stride - 1) / stride,
                                 (width + stride - 1) / stride}));
    }
  }
}

TEST(ResNet18, BatchGivesWhatSingleImagesGive) {
  const auto network = fixture_network();
  const at::Tensor images = hashed_tensor("input", {3, 3, 64, 80});
  const at::Tensor together = network.features(images).back();
  for (int i = 0; i < 3; ++i) {
    const at::Tensor alone = network.features(images.slice(0, i, i + 1)).back();
    EXPECT_TRUE(at::allclose(together[i], alone[0], 1e-4, 1e-4));
  }
}

TEST(ResNet18, Bfloat16StaysCloseToFloat32) {
  const at::Tensor images = hashed_tensor("input", {1, 3, 128, 128});
  const auto exact = fixture_network().features(images);
  const auto rough = fixture_network(kFloat32.dtype(at::kBFloat16)).features(images);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_EQ(rough[i].scalar_type(), at::kBFloat16);
    const at::Tensor off = rough[i].to(at::kFloat) - exact[i];
    EXPECT_LT((off.norm() / exact[i].norm()).item<double>(), 0.02);
  }
}

TEST(ResNet18, NeedsNoTensorBeyondTheDeepestLayer) {
  uad::TensorMap weights = resnet18_fixture();
  std::erase_if(weights, [](const auto& entry) { return entry.first.starts_with("layer3"); });
  const uad::models::ResNet18 network(weights, "fixture", {{"layer2", 128, 8}}, kFloat32);
  const at::Tensor images = hashed_tensor("input", {1, 3, 64, 64});
  EXPECT_TRUE(at::equal(network.features(images).front(), fixture_network().features(images)[1]));
  for (const auto& [name, tensor] : network.weights()) EXPECT_FALSE(name.starts_with("layer3"));
}

void expect_bad_file(const uad::TensorMap& weights, const std::string& part) {
  uad::test::expect_error(uad::ErrorCode::kBadFile, {part, "some.pth"}, [&] {
    uad::models::ResNet18(weights, "some.pth", uad::models::resnet18_layers(), kFloat32);
  });
}

TEST(ResNet18, NamesTheMissingTensor) {
  uad::TensorMap weights = resnet18_fixture();
  weights.erase("layer3.1.bn2.running_var");
  expect_bad_file(weights, "layer3.1.bn2.running_var");
}

TEST(ResNet18, NamesTheTensorOfTheWrongShape) {
  uad::TensorMap weights = resnet18_fixture();
  weights["layer2.0.conv1.weight"] = at::zeros({128, 64, 1, 1});
  expect_bad_file(weights, "[128, 64, 1, 1], expected floating point [128, 64, 3, 3]");
}

// Real photographs and ImageNet weights; the values were written with torchvision.
TEST(ResNet18, SeesRealPhotographsAsTorchvisionDoes) {
  const std::filesystem::path root =
      std::filesystem::path(std::getenv("UAD_SHARED_DATA")) / "weights";
  if (!std::filesystem::exists(root / "check/expected.json")) GTEST_SKIP() << "no " << root;
  const uad::models::ResNet18 network(
      uad::load_state_dict(root / "resnet18_imagenet_to_layer3.pth"), "real",
      uad::models::resnet18_layers(), kFloat32);
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).to(at::kFloat).view({1, 3, 1, 1});
  const at::Tensor std = at::tensor({0.229, 0.224, 0.225}).to(at::kFloat).view({1, 3, 1, 1});
  const auto expected = nlohmann::json::parse(std::ifstream(root / "check/expected.json"));
  for (const auto& entry : expected.at("images")) {
    uad::Image image = uad::read_image(root / "check" / entry.at("file").get<std::string>());
    const double scale = 256.0 / std::min(image.width, image.height);
    image = uad::resize_antialiased(
        image, {static_cast<int>(image.width * scale), static_cast<int>(image.height * scale)});
    image = uad::crop(image, {static_cast<int>(std::lround((image.width - 224) / 2.0)),
                              static_cast<int>(std::lround((image.height - 224) / 2.0)), 224, 224});
    const at::Tensor pixels = at::from_blob(image.pixels.data(), {1, 224, 224, 3}, at::kByte);
    const auto features =
        network.features((pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255 - mean) / std);
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto& layer = entry.at("resnet18").at(network.layers()[i].name);
      const double spread = layer.at("std").get<double>();
      EXPECT_NEAR(features[i].mean().item<double>(), layer.at("mean").get<double>(), 0.03 * spread);
      EXPECT_NEAR(features[i].std().item<double>(), spread, 0.03 * spread);
    }
  }
}

}  // namespace

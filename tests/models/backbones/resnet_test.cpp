// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/resnet.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/models/backbones/fixture.h"
#include "tests/support/expect_error.h"

namespace {

using uad::test::hashed_tensor;
using uad::test::resnet18_fixture;
using uad::test::resnet_fixture;
using uad::test::resnet_shape;

const auto kFloat32 = at::TensorOptions().dtype(at::kFloat);

uad::models::ResNet make_resnet18(const uad::TensorMap& weights, const std::string& origin,
                                  at::TensorOptions place = kFloat32) {
  const auto& shape = resnet_shape("resnet18");
  return {shape, weights, origin, uad::models::resnet_layers(shape), place};
}

uad::models::ResNet fixture_network(at::TensorOptions place = kFloat32) {
  return make_resnet18(resnet18_fixture(), "fixture", place);
}

TEST(HashedFixture, FollowsTheSpecification) {
  const std::uint64_t hash = uad::test::fnv1a("conv1.weight");
  EXPECT_EQ(hash, 0x69a29a2cee47d254U);
  EXPECT_NEAR(uad::test::hashed_unit(hash, 0), 0.54507494, 1e-8);
  EXPECT_NEAR(uad::test::hashed_unit(hash, 2), 0.96001887, 1e-8);
}

// One row of the table in the specification, section 8.
struct Expected {
  const char* layer;
  double mean, std, first, last, middle;
};

void expect_values(const std::string& name, const std::vector<Expected>& expected) {
  const auto& shape = resnet_shape(name);
  std::vector<uad::models::LayerInfo> layers = uad::models::resnet_layers(shape);
  std::erase_if(layers, [&](const auto& layer) {
    return std::ranges::none_of(expected, [&](const Expected& e) { return layer.name == e.layer; });
  });
  const uad::models::ResNet network(shape, resnet_fixture(shape), "fixture", layers, kFloat32);
  const auto features = network.features(hashed_tensor("input", {1, 3, 224, 224}));
  ASSERT_EQ(features.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(name + " " + expected[i].layer);
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

TEST(ResNet, EveryShapeGivesTheValuesOfTheSpecification) {
  expect_values("resnet18", {{"layer1", 2.25327, 2.48579, 1.19044, 1.80881, 3.04884},
                             {"layer2", 3.53029, 4.08938, 0, 0.508104, 0},
                             {"layer3", 6.61668, 8.23908, 0, 3.33422, 11.3006}});
  expect_values("resnet34", {{"layer1", 3.07254, 3.13639, 0.760017, 0.546896, 1.63552},
                             {"layer2", 12.6629, 13.6659, 9.94407, 0, 3.41971},
                             {"layer3", 105.862, 125.577, 58.7438, 137.304, 0}});
  expect_values("resnet50", {{"layer1", 2.84895, 3.39519, 2.75428, 0, 10.3197},
                             {"layer2", 14.0271, 17.2252, 7.95693, 22.9634, 8.1885},
                             {"layer3", 172.801, 202.95, 0, 176.258, 173.309}});
  expect_values("resnet101", {{"layer3", 220008, 265990, 191749, 0, 670477}});
  expect_values("wide_resnet50_2", {{"layer1", 2.95747, 3.46444, 0, 0, 11.2068},
                                    {"layer2", 14.3659, 17.2615, 7.54637, 0, 48.9474},
                                    {"layer3", 148.421, 177.204, 42.2465, 146.861, 0}});
}

TEST(ResNet, TakesAnySizeAndKeepsItsGrids) {
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

TEST(ResNet, BatchGivesWhatSingleImagesGive) {
  const auto network = fixture_network();
  const at::Tensor images = hashed_tensor("input", {3, 3, 64, 80});
  const at::Tensor together = network.features(images).back();
  for (int i = 0; i < 3; ++i) {
    const at::Tensor alone = network.features(images.slice(0, i, i + 1)).back();
    EXPECT_TRUE(at::allclose(together[i], alone[0], 1e-4, 1e-4));
  }
}

TEST(ResNet, Bfloat16StaysCloseToFloat32) {
  const at::Tensor images = hashed_tensor("input", {1, 3, 128, 128});
  const auto exact = fixture_network().features(images);
  const auto rough = fixture_network(kFloat32.dtype(at::kBFloat16)).features(images);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_EQ(rough[i].scalar_type(), at::kBFloat16);
    const at::Tensor off = rough[i].to(at::kFloat) - exact[i];
    EXPECT_LT((off.norm() / exact[i].norm()).item<double>(), 0.02);
  }
}

TEST(ResNet, NeedsNoTensorBeyondTheDeepestLayer) {
  uad::TensorMap weights = resnet18_fixture();
  std::erase_if(weights, [](const auto& entry) { return entry.first.starts_with("layer3"); });
  const uad::models::ResNet network(resnet_shape("resnet18"), weights, "fixture",
                                    {{"layer2", 128, 8}}, kFloat32);
  const at::Tensor images = hashed_tensor("input", {1, 3, 64, 64});
  EXPECT_TRUE(at::equal(network.features(images).front(), fixture_network().features(images)[1]));
  for (const auto& [name, tensor] : network.weights()) EXPECT_FALSE(name.starts_with("layer3"));
}

void expect_bad_file(const uad::TensorMap& weights, const std::string& part) {
  uad::test::expect_error(uad::ErrorCode::kBadFile,
                          {part, "some.pth", "weights of resnet18", "scripts/fetch-weights"},
                          [&] { make_resnet18(weights, "some.pth"); });
}

TEST(ResNet, NamesTheMissingTensor) {
  uad::TensorMap weights = resnet18_fixture();
  weights.erase("layer3.1.bn2.running_var");
  expect_bad_file(weights, "layer3.1.bn2.running_var");
}

TEST(ResNet, NamesTheTensorOfTheWrongShape) {
  uad::TensorMap weights = resnet18_fixture();
  weights["layer2.0.conv1.weight"] = at::zeros({128, 64, 1, 1});
  expect_bad_file(weights, "[128, 64, 1, 1], expected floating point [128, 64, 3, 3]");
}

TEST(ResNet, DeeperNetworksWeightsAreRefused) {
  expect_bad_file(resnet_fixture(resnet_shape("resnet34")), "layer1.2.");
  // Up to layer 2 these two have the same tensors.
  const uad::TensorMap deeper = resnet_fixture(resnet_shape("resnet101"));
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"layer3.6.", "weights of resnet50"}, [&] {
    uad::models::ResNet(resnet_shape("resnet50"), deeper, "some.pth", {{"layer2", 512, 8}},
                        kFloat32);
  });
}

TEST(ResNet, WiderNetworksWeightsAreRefused) {
  const uad::TensorMap wide = resnet_fixture(resnet_shape("wide_resnet50_2"));
  uad::test::expect_error(uad::ErrorCode::kBadFile,
                          {"layer1.0.conv1.weight", "[128, 64, 1, 1]", "[64, 64, 1, 1]"}, [&] {
                            uad::models::ResNet(resnet_shape("resnet50"), wide, "some.pth",
                                                {{"layer2", 512, 8}}, kFloat32);
                          });
}

}  // namespace

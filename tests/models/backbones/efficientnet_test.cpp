// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/efficientnet.h"

#include <gtest/gtest.h>

#include "tests/models/backbones/efficientnet_fixture.h"
#include "tests/models/golden_values.h"
#include "tests/support/expect_error.h"

namespace {

using uad::models::EfficientNet;
using uad::models::LayerInfo;
using uad::test::hashed_tensor;

const uad::models::EfficientNetShape& b4() {
  return uad::test::efficientnet_shape("efficientnet_b4");
}

EfficientNet network(const uad::TensorMap& weights, std::vector<LayerInfo> layers,
                     const uad::models::EfficientNetShape& shape = b4()) {
  return {shape, {}, weights, "some.pth", std::move(layers), at::TensorOptions().dtype(at::kFloat)};
}

EfficientNet network() {
  return network(uad::test::EfficientNetFixture().weights(),
                 uad::models::efficientnet_layers(b4()));
}

std::int64_t parameters_of(const EfficientNet& one) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : one.weights()) {
    count += name.find("running") == std::string::npos ? tensor.numel() : 0;
  }
  return count;
}

TEST(EfficientNet, GivesTheValuesOfTheSpecification) {
  const auto features =
      uad::test::efficientnet_as_specified().features(hashed_tensor("input", {1, 3, 224, 224}));
  const uad::test::GoldenValues expected[]{
      {0.000793906, 0.305362, -0.255913, -0.000661269, -0.151094},
      {0.0017357, 0.149514, 0.131803, 0.0726266, 0.127577},
      {0.000961649, 0.0613141, 0.0136678, 0.0311661, 0.0272118},
      {8.45073e-5, 0.0123028, 0.00356912, -0.00915492, -0.0157258}};
  ASSERT_EQ(features.size(), 4U);
  for (std::size_t i = 0; i < features.size(); ++i) {
    SCOPED_TRACE(i);
    uad::test::expect_golden(features[i], expected[i]);
  }
}

TEST(EfficientNet, HasTheSpecifiedParameters) { EXPECT_EQ(parameters_of(network()), 3635984); }

// Blocks and channels as in torchvision's weights; with the rest of the network, the counts below
// make 5,288,548 (B0), 7,794,184, 9,109,994, 12,233,232, 19,341,616, 30,389,784 and 43,040,704.
TEST(EfficientNet, RelativesHaveTheirOwnWidthDepthAndParameters) {
  const struct {
    const char* name;
    uad::test::EfficientNetStages stages;
    std::int64_t parameters;
  } all[]{{"efficientnet_b0", {32, {1, 2, 2, 3, 3}, {16, 24, 40, 80, 112}}, 851808},
          {"efficientnet_b1", {32, {2, 3, 3, 4, 4}, {16, 24, 40, 80, 112}}, 1205892},
          {"efficientnet_b2", {32, {2, 3, 3, 4, 4}, {16, 24, 48, 88, 120}}, 1417864},
          {"efficientnet_b3", {40, {2, 3, 3, 5, 5}, {24, 32, 48, 96, 136}}, 2190154},
          {"efficientnet_b4", {48, {2, 4, 4, 6, 6}, {24, 32, 56, 112, 160}}, 3635984},
          {"efficientnet_b5", {48, {3, 5, 5, 7, 7}, {24, 40, 64, 128, 176}}, 5377912},
          {"efficientnet_b6", {56, {3, 6, 6, 8, 8}, {32, 40, 72, 144, 200}}, 7880452}};
  ASSERT_EQ(uad::models::efficientnet_shapes().size(), std::size(all));
  for (const auto& [name, stages, parameters] : all) {
    SCOPED_TRACE(name);
    const auto& shape = uad::test::efficientnet_shape(name);
    const EfficientNet one = network(uad::test::EfficientNetFixture(stages).weights(),
                                     uad::models::efficientnet_layers(shape), shape);
    EXPECT_EQ(parameters_of(one), parameters);
    const auto features = one.features(hashed_tensor("input", {1, 3, 64, 64}));
    const std::int64_t channels[]{stages.channels[0], stages.channels[1], stages.channels[2],
                                  stages.channels[4]};
    for (std::size_t i = 0; i < features.size(); ++i) {
      EXPECT_EQ(features[i].size(1), channels[i]);
      EXPECT_EQ(one.layers()[i].channels, channels[i]);
    }
  }
}

TEST(EfficientNet, TakesAnySizeAndKeepsItsGrids) {
  const EfficientNet whole = network();
  for (const auto& [height, width] : {std::pair{65, 97}, {33, 200}, {224, 224}}) {
    const auto features = whole.features(hashed_tensor("input", {2, 3, height, width}));
    for (std::size_t i = 0; i < features.size(); ++i) {
      const std::int64_t stride = whole.layers()[i].stride;
      EXPECT_EQ(features[i].sizes(),
                at::IntArrayRef({2, whole.layers()[i].channels, (height + stride - 1) / stride,
                                 (width + stride - 1) / stride}));
      EXPECT_TRUE(features[i].is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(EfficientNet, BatchGivesWhatSingleImagesGive) {
  const at::Tensor images = hashed_tensor("input", {3, 3, 64, 80});
  for (const EfficientNet& one : {network(), uad::test::efficientnet_as_specified()}) {
    const at::Tensor together = one.features(images).back();
    for (int i = 0; i < 3; ++i) {
      const at::Tensor alone = one.features(images.slice(0, i, i + 1)).back();
      EXPECT_LT((together[i] - alone[0]).norm().item<float>(), 1e-4 * alone.norm().item<float>());
    }
  }
}

TEST(EfficientNet, NeedsNoTensorBeyondTheDeepestLayer) {
  uad::TensorMap weights = uad::test::EfficientNetFixture().weights();
  std::erase_if(weights, [](const auto& entry) { return entry.first.starts_with("features.4"); });
  const at::Tensor images = hashed_tensor("input", {1, 3, 64, 64});
  const at::Tensor features = network(weights, {{"layer3", 56, 8}}).features(images).front();
  EXPECT_TRUE(at::equal(features, network().features(images)[2]));
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"some.pth", "features.4.0.block.0.0.weight"},
                          [&] {
                            return network(weights, {{"layer4", 160, 16}});
                          });
}

// B5 begins with the same stem and the same two blocks, and then has a third.
TEST(EfficientNet, LargerRelativesAreRefused) {
  uad::TensorMap weights = uad::test::EfficientNetFixture().weights();
  weights["features.1.2.block.0.0.weight"] = at::zeros({24, 1, 3, 3});
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"efficientnet_b4", "features.1.2.block"}, [&] {
    return network(weights, {{"layer1", 24, 2}});
  });
}

}  // namespace

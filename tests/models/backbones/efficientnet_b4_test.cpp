// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/efficientnet_b4.h"

#include <gtest/gtest.h>

#include "tests/models/backbones/efficientnet_fixture.h"
#include "tests/models/golden_values.h"
#include "tests/support/expect_error.h"

namespace {

using uad::models::EfficientNetB4;
using uad::models::LayerInfo;
using uad::test::hashed_tensor;

EfficientNetB4 network(const uad::TensorMap& weights, std::vector<LayerInfo> layers) {
  return {{}, weights, "some.pth", std::move(layers), at::TensorOptions().dtype(at::kFloat)};
}

EfficientNetB4 network() {
  return network(uad::test::EfficientNetFixture().weights(), uad::models::efficientnet_b4_layers());
}

TEST(EfficientNetB4, GivesTheValuesOfTheSpecification) {
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

TEST(EfficientNetB4, HasTheSpecifiedParameters) {
  std::int64_t count = 0;
  const EfficientNetB4 whole = network();
  for (const auto& [name, tensor] : whole.weights()) {
    count += name.find("running") == std::string::npos ? tensor.numel() : 0;
  }
  EXPECT_EQ(count, 3635984);
}

TEST(EfficientNetB4, TakesAnySizeAndKeepsItsGrids) {
  const EfficientNetB4 whole = network();
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

TEST(EfficientNetB4, BatchGivesWhatSingleImagesGive) {
  const at::Tensor images = hashed_tensor("input", {3, 3, 64, 80});
  for (const EfficientNetB4& one : {network(), uad::test::efficientnet_as_specified()}) {
    const at::Tensor together = one.features(images).back();
    for (int i = 0; i < 3; ++i) {
      const at::Tensor alone = one.features(images.slice(0, i, i + 1)).back();
      EXPECT_LT((together[i] - alone[0]).norm().item<float>(), 1e-4 * alone.norm().item<float>());
    }
  }
}

TEST(EfficientNetB4, NeedsNoTensorBeyondTheDeepestLayer) {
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
TEST(EfficientNetB4, LargerRelativesAreRefused) {
  uad::TensorMap weights = uad::test::EfficientNetFixture().weights();
  weights["features.1.2.block.0.0.weight"] = at::zeros({24, 1, 3, 3});
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"efficientnet_b4", "features.1.2.block"}, [&] {
    return network(weights, {{"layer1", 24, 2}});
  });
}

}  // namespace

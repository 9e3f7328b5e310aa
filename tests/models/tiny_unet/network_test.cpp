// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/network.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/tiny_unet/frozen_network.h"
#include "models/tiny_unet/initial_weights.h"
#include "tests/models/tiny_unet/fixture.h"
#include "tests/support/expect_error.h"

namespace {

using uad::ErrorCode;
using uad::models::tiny_unet::Network;
using uad::test::expect_error;

namespace unet = uad::models::tiny_unet;

std::int64_t parameters_of(const unet::Layer& layer) {
  return layer.out * (layer.in * layer.kernel * layer.kernel + 1);
}

std::int64_t parameters_of(const std::string& variant) {
  std::int64_t sum = 0;
  for (const unet::Layer& layer : unet::layers(variant)) sum += parameters_of(layer);
  return sum;
}

at::Tensor filled_logits(const at::Tensor& image) {
  const c10::InferenceMode inference;
  return Network("tinyUNet", uad::test::filled_parameters("tinyUNet")).logits(image);
}

TEST(TinyUnetNetwork, ParametersOfEveryLayerAsSpecified) {
  const std::vector<std::int64_t> expected{
      320,   9248,  9248,  9248,  18496, 36928, 73856, 147584, 295168, 590080, 131200, 295040,
      73792, 16448, 73792, 18464, 4128,  18464, 4624,  1040,   13856,  9248,   33};
  std::vector<std::int64_t> found;
  for (const unet::Layer& layer : unet::layers("tinyUNet")) found.push_back(parameters_of(layer));
  EXPECT_EQ(found, expected);
  EXPECT_EQ(parameters_of("tinyUNet"), 1850305);
  EXPECT_EQ(parameters_of("original"), 29137793);
}

TEST(TinyUnetNetwork, ShapesOfEveryLayerAsSpecified) {
  const std::vector<std::array<std::int64_t, 2>> expected{
      {32, 128}, {32, 128}, {32, 64},  {32, 64},  {64, 32},  {64, 32},  {128, 16}, {128, 16},
      {256, 8},  {256, 8},  {128, 16}, {128, 16}, {64, 16},  {64, 32},  {64, 32},  {32, 32},
      {32, 64},  {32, 64},  {16, 64},  {16, 128}, {32, 128}, {32, 128}, {1, 128}};
  std::vector<std::array<std::int64_t, 2>> found;
  const auto& layers = unet::layers("tinyUNet");
  const at::Tensor logits =
      unet::forward(at::zeros({1, 1, 128, 128}), [&](std::size_t i, const at::Tensor& x) {
        EXPECT_EQ(x.size(1), layers[i].in) << layers[i].name;
        const std::int64_t side = x.size(2) + (layers[i].kernel == 2 ? 1 : 0);
        found.push_back({layers[i].out, x.size(2)});
        return at::zeros({1, layers[i].out, side, side});
      });
  EXPECT_EQ(found, expected);
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({1, 1, 128, 128}));
}

TEST(TinyUnetNetwork, FillAndImageAreTheSpecifications) {
  const std::vector<double> first{-1, -0.18330184, 0.63339633, -0.34417988, 0.69916902};
  for (std::uint32_t j = 0; j < 5; ++j) EXPECT_NEAR(uad::test::fill_value(j), first[j], 1e-8);
  const at::Tensor image = uad::test::waves(512);
  EXPECT_NEAR(image.mean().item<double>(), 0.0034797, 1e-6);
  EXPECT_NEAR(image[0][0][511][511].item<double>(), 0.194769, 1e-6);
}

TEST(TinyUnetNetwork, LogitsOfThe512Image) {
  const at::Tensor z = filled_logits(uad::test::waves(512));
  EXPECT_NEAR(z.mean().item<double>(), -0.223974, 1e-4);
  EXPECT_NEAR(z.std().item<double>(), 0.182302, 1e-4);
  EXPECT_NEAR(z[0][0][0][0].item<double>(), -0.129304, 1e-4);
  EXPECT_NEAR(z[0][0][256][256].item<double>(), -0.181823, 1e-4);
  EXPECT_NEAR(z[0][0][511][511].item<double>(), -0.039289, 1e-4);
  EXPECT_NEAR(z.sigmoid().mean().item<double>(), 0.444809, 1e-4);
  EXPECT_NEAR(z.sigmoid().max().item<double>(), 0.511515, 1e-4);
}

TEST(TinyUnetNetwork, LogitsOfIts128Corner) {
  const at::Tensor z = filled_logits(uad::test::waves(128));
  ASSERT_EQ(z.sizes(), at::IntArrayRef({1, 1, 128, 128}));
  EXPECT_NEAR(z.mean().item<double>(), -0.232340, 1e-4);
  EXPECT_NEAR(z.std().item<double>(), 0.180850, 1e-4);
  EXPECT_NEAR(z[0][0][0][0].item<double>(), -0.129304, 1e-4);
  EXPECT_NEAR(z[0][0][64][64].item<double>(), -0.258585, 1e-4);
  EXPECT_NEAR(z[0][0][127][127].item<double>(), -0.019668, 1e-4);
}

TEST(TinyUnetNetwork, PixelsAreDoubledAndZerosComeAfterThem) {
  const at::Tensor x = at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 1, 2, 2});
  const at::Tensor y = unet::up(0, x, [](std::size_t, const at::Tensor& doubled) {
    return at::conv2d(doubled, at::ones({1, 1, 2, 2}), {}, 1, 1);
  });
  const at::Tensor expected =
      at::tensor({4, 6, 8, 4, 8, 10, 12, 6, 12, 14, 16, 8, 6, 7, 8, 4}).view({1, 1, 4, 4});
  EXPECT_TRUE(at::equal(y, expected.to(at::kFloat)));
}

TEST(TinyUnetNetwork, OtherSidesThanMultiplesOf16AreRefusedWithTheFix) {
  expect_error(ErrorCode::kShapeMismatch,
               {"multiples of 16", "100x64", "--window", "96x64 is nearest"}, [] {
                 return filled_logits(at::zeros({1, 1, 64, 100}));
               });
}

TEST(TinyUnetNetwork, BatchesAndLayoutsGiveTheSameLogits) {
  const at::Tensor image = uad::test::waves(128);
  const at::Tensor both = filled_logits(at::cat({image, image.flip(3)}));
  EXPECT_TRUE(at::allclose(both[0], filled_logits(image)[0], 0, 1e-5));
  const at::Tensor rgb = image.expand({1, 3, 128, 128}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(filled_logits(unet::grey(rgb)), filled_logits(image), 0, 1e-5));
}

TEST(TinyUnetNetwork, Bfloat16ComputesTheSameRoughly) {
  const at::Tensor image = uad::test::waves(128);
  const at::Tensor z = filled_logits(image.to(at::kBFloat16));
  EXPECT_EQ(z.scalar_type(), at::kFloat);
  EXPECT_LT((z - filled_logits(image)).abs().max().item<double>(), 0.02);
}

TEST(TinyUnetFrozenNetwork, GivesTheLogitsOfTheTrainedOne) {
  const c10::InferenceMode inference;
  const auto parameters = uad::test::filled_parameters("tinyUNet");
  const at::Tensor images = at::cat({uad::test::waves(128), uad::test::waves(128).flip(3)});
  const at::Tensor expected = filled_logits(images);
  const unet::FrozenNetwork exact("tinyUNet", parameters, at::kFloat);
  const at::Tensor z = exact.logits(images.expand({2, 3, 128, 128}));
  EXPECT_TRUE(at::allclose(z, expected, 0, 1e-5));
  EXPECT_NEAR(z[0][0][64][64].item<double>(), -0.258585, 1e-4);
  const unet::FrozenNetwork fast("tinyUNet", parameters, at::kBFloat16);
  EXPECT_LT((fast.logits(images) - expected).abs().max().item<double>(), 0.02);
}

TEST(TinyUnetNetwork, GreyIsTheMeanOfTheChannels) {
  const at::Tensor rgb = at::tensor({0.3F, 0.6F, -0.3F}).view({1, 3, 1, 1}).expand({1, 3, 2, 4});
  const at::Tensor grey = unet::grey(rgb);
  EXPECT_TRUE(at::allclose(grey, at::full({1, 1, 2, 4}, 0.2)));
  EXPECT_EQ(grey.suggest_memory_format(), at::MemoryFormat::ChannelsLast);
}

TEST(TinyUnetInitialWeights, StayInsideTheBoundAndFillIt) {
  const uad::TensorMap drawn = unet::initial_weights("tinyUNet", "he_uniform", 3);
  EXPECT_EQ(drawn.size(), 46U);
  const at::Tensor weight = drawn.at("bottleneck.conv2.weight");
  const double bound = std::sqrt(6.0 / (256 * 9));
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0), 0.01 * bound);
  EXPECT_NEAR(weight.mean().item<double>(), 0, 0.01 * bound);
  EXPECT_EQ(drawn.at("bottleneck.conv2.bias").abs().max().item<double>(), 0);
}

TEST(TinyUnetInitialWeights, HaveTheDeviationOfTheirMethod) {
  const auto deviation = [](const char* name) {
    return unet::initial_weights("tinyUNet", name, 3).at("up1.conv1.weight").std().item<double>();
  };
  EXPECT_NEAR(deviation("he_normal"), std::sqrt(2.0 / (256 * 9)), 3e-4);
  EXPECT_NEAR(deviation("glorot_uniform"), std::sqrt(2.0 / (384 * 9)), 3e-4);
  EXPECT_NEAR(deviation("glorot_normal"), std::sqrt(2.0 / (384 * 9)), 3e-4);
}

TEST(TinyUnetInitialWeights, OrthogonalRowsAreOrthonormal) {
  const auto drawn = unet::initial_weights("tinyUNet", "orthogonal", 3);
  const at::Tensor rows = drawn.at("up1.conv1.weight").flatten(1);
  EXPECT_TRUE(at::allclose(rows.mm(rows.t()), at::eye(128), 0, 1e-5));
  const at::Tensor tall = drawn.at("in.conv1.weight").flatten(1);
  EXPECT_TRUE(at::allclose(tall.t().mm(tall), at::eye(9), 0, 1e-5));
}

TEST(TinyUnetInitialWeights, FollowTheSeed) {
  for (const char* name : {"he_uniform", "orthogonal"}) {
    const auto draw = [&](std::uint64_t seed) {
      return unet::initial_weights("tinyUNet", name, seed).at("up3.conv1.weight");
    };
    EXPECT_TRUE(at::equal(draw(5), draw(5))) << name;
    EXPECT_FALSE(at::equal(draw(5), draw(6))) << name;
  }
}

}  // namespace

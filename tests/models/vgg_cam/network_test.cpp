// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/network.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/vgg_cam/localisation.h"
#include "models/vgg_cam/objective.h"
#include "tests/models/backbones/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"

namespace {

using uad::models::BackboneWeights;
using uad::models::make_backbone;
using uad::models::vgg_cam::Head;
using uad::models::vgg_cam::Network;
using uad::test::expect_error;
using uad::test::hashed_tensor;

BackboneWeights vgg16() { return {uad::test::vgg16_fixture(), "fixture", ""}; }
BackboneWeights resnet18() { return {uad::test::resnet18_fixture(), "fixture", ""}; }

std::int64_t count(const uad::TensorMap& tensors) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : tensors) sum += tensor.numel();
  return sum;
}

TEST(VggCamNetwork, HasTheParametersOfTheSpecification) {
  EXPECT_EQ(count(make_backbone("vgg16", "layer3", vgg16(), {})->weights()), 14'714'688);
  EXPECT_EQ(count(make_backbone("vgg16", "layer2", vgg16(), {})->weights()), 7'635'264);
  const Network network("vgg16", vgg16(), 42, {});
  EXPECT_EQ(count(network.learning()), 7'080'450);
  EXPECT_EQ(count(network.learning()) + 7'635'264, 14'715'714);
  EXPECT_EQ(network.learning().at("features.24.weight").sizes(), at::IntArrayRef({512, 512, 3, 3}));
  EXPECT_EQ(network.learning().at("classification_head.3.weight").sizes(),
            at::IntArrayRef({2, 512}));
  EXPECT_FALSE(network.learning().contains("features.21.weight"));
}

TEST(VggCamNetwork, HeadBeginsWithinItsBoundsAndFollowsTheSeed) {
  const Head head = Head::random(512, 7);
  const double bound = 1 / std::sqrt(512.0);
  EXPECT_LE(head.weight.abs().max().item<double>(), bound);
  EXPECT_GT(head.weight.abs().max().item<double>(), 0.95 * bound);
  EXPECT_LE(head.bias.abs().max().item<double>(), bound);
  EXPECT_TRUE(at::equal(head.weight, Head::random(512, 7).weight));
  EXPECT_FALSE(at::equal(head.weight, Head::random(512, 8).weight));
}

// Specification, section 9, check 4.
TEST(VggCamNetwork, Vgg16GivesTheValuesOfTheSpecification) {
  const at::Tensor images = (hashed_tensor("input", {1, 3, 224, 224}) + 1) / 2;
  const auto backbone = make_backbone("vgg16", "layer3", vgg16(), {});
  const at::Tensor features = backbone->features(images).front().contiguous();
  ASSERT_EQ(features.sizes(), at::IntArrayRef({1, 512, 14, 14}));
  const double std = features.std(/*unbiased=*/false).item<double>();
  EXPECT_NEAR(features.mean().item<double>(), 0.579306, 1e-3 * 0.579306);
  EXPECT_NEAR(std, 0.833097, 1e-3 * 0.833097);
  const at::Tensor flat = features.flatten();
  EXPECT_NEAR(flat[0].item<double>(), 0.172807, 2e-3 * std);
  EXPECT_NEAR(flat[-1].item<double>(), 0.32043, 2e-3 * std);
  EXPECT_NEAR(features[0][256][7][7].item<double>(), 0, 2e-3 * std);

  const Head head{uad::test::hashed_weight(Head::kWeight, {2, 512}), at::zeros({2})};
  const at::Tensor scores = head.scores(features, {});
  EXPECT_NEAR(scores[0][0].item<double>(), -1.548219, 1e-3);
  EXPECT_NEAR(scores[0][1].item<double>(), -0.026612, 1e-3);
  const at::Tensor chances = at::softmax(scores, 1);
  EXPECT_NEAR(chances[0][0].item<double>(), 0.179225, 3e-4);
  EXPECT_NEAR(chances[0][1].item<double>(), 0.820775, 3e-4);

  const at::Tensor maps = uad::models::vgg_cam::class_maps(features, head.weight);
  const at::Tensor large = at::upsample_bilinear2d(maps, {224, 224}, false)[0][1];
  EXPECT_NEAR(large.min().item<double>(), -0.820523, 1e-3);
  EXPECT_NEAR(large.max().item<double>(), 1.101848, 1e-3);
  const at::Tensor heat = uad::models::vgg_cam::heat_maps(maps, 224, 224)[0][1];
  EXPECT_NEAR(heat.mean().item<double>(), 0.413935, 1e-3 * 0.413935);
  EXPECT_NEAR(heat[0][0].item<double>(), 0.274196, 1e-3);
  EXPECT_NEAR(heat[112][112].item<double>(), 0.330117, 1e-3);
  EXPECT_NEAR(heat[223][223].item<double>(), 0.638549, 1e-3);
  EXPECT_NEAR((heat > 0.7).sum().item<double>(), 3472, 10);
}

// What learns is the network that later runs fused.
void expect_same_features(const std::string& name, const BackboneWeights& weights,
                          at::IntArrayRef size) {
  const Network network(name, weights, 42, {});
  const at::Tensor images = hashed_tensor("input", {2, 3, size[0], size[1]});
  const at::Tensor learning = network.features(network.frozen(images));
  const at::Tensor fused = network.backbone()->features(images).front();
  EXPECT_TRUE(learning.requires_grad());
  EXPECT_GE(learning.min().item<double>(), 0);
  EXPECT_LT((learning - fused).norm().item<double>(), 1e-5 * fused.norm().item<double>());
}

TEST(VggCamNetwork, LearningStageGivesWhatTheFusedBackboneGives) {
  expect_same_features("vgg16", vgg16(), {48, 80});
  expect_same_features("resnet18", resnet18(), {75, 64});
}

TEST(VggCamNetwork, SqueezeNetLearnsItsLastFires) {
  const auto root = uad::test::shared_data("weights");
  if (root.empty()) GTEST_SKIP() << "no weights in UAD_SHARED_DATA";
  const auto weights = uad::models::find_backbone_weights("squeezenet1_1", root);
  expect_same_features("squeezenet1_1", weights, {97, 130});
  const Network network("squeezenet1_1", weights, 42, {});
  EXPECT_TRUE(network.learning().contains("features.9.squeeze.bias"));
  EXPECT_FALSE(network.learning().contains("features.7.squeeze.bias"));
}

TEST(VggCamNetwork, BatchNormDoesNotLearn) {
  const Network network("resnet18", resnet18(), 42, {});
  EXPECT_TRUE(network.learning().contains("layer3.0.downsample.0.weight"));
  for (const auto& [name, tensor] : network.learning()) {
    EXPECT_TRUE(tensor.requires_grad());
    EXPECT_TRUE(name.starts_with("layer3.") || name.starts_with("classification_head.")) << name;
    EXPECT_EQ(name.find("bn"), std::string::npos) << name;
    EXPECT_EQ(name.find("downsample.1"), std::string::npos) << name;
  }
}

TEST(VggCamNetwork, IgnoredPlacesJoinNoScore) {
  const Head head = Head::random(8, 1);
  at::Tensor features = hashed_tensor("features", {1, 8, 6, 8}).abs();
  at::Tensor kept = at::ones({1, 6, 8}, at::kBool);
  kept.slice(2, 4).fill_(false);
  EXPECT_TRUE(at::allclose(head.scores(features, kept), head.scores(features.slice(3, 0, 4), {})));
  EXPECT_TRUE(at::isfinite(head.scores(features, at::zeros_like(kept))).all().item<bool>());
}

TEST(VggCamNetwork, TooSmallImagesAreRefused) {
  expect_error(uad::ErrorCode::kBadOption, {"1x3", "resize"}, [] {
    return Head::random(8, 1).scores(at::zeros({1, 8, 3, 1}), {});
  });
}

TEST(VggCamNetwork, OtherBackbonesAndWeightsAreRefused) {
  expect_error(uad::ErrorCode::kBadOption, {"gabor", "resnet18, squeezenet1_1, vgg16"},
               [] { return Network("gabor", {}, 1, {}); });
  BackboneWeights deeper = vgg16();
  deeper.tensors["features.16.weight"] = at::zeros({256, 256, 3, 3});
  expect_error(uad::ErrorCode::kBadFile, {"features.16.weight", "deeper", "vgg16"},
               [&] { return Network("vgg16", deeper, 1, {}); });
  expect_error(uad::ErrorCode::kBadFile, {"features.0.weight", "fixture"},
               [] { return Network("vgg16", resnet18(), 1, {}); });
}

// Specification, section 9, check 2.
TEST(VggCamObjective, WeighsEachImageByItsClass) {
  const at::Tensor scores = at::tensor({2., 1., .5, 1.5, 1., 1., -1., 0.}).view({4, 2});
  const at::Tensor labels = at::tensor({0, 1, 1, 0}, at::kLong);
  const auto loss = [&](double good, double anomaly) {
    return uad::models::vgg_cam::weighted_cross_entropy(scores, labels, at::tensor({good, anomaly}))
        .item<double>();
  };
  EXPECT_NEAR(loss(1, 3), 0.5807187, 1e-6);
  EXPECT_NEAR(loss(1, 1), 0.6582330, 1e-6);
  const double singles[] = {0.3132617, 0.3132617, 0.6931472, 1.3132616};
  for (int i = 0; i < 4; ++i) {
    const at::Tensor one = uad::models::vgg_cam::weighted_cross_entropy(
        scores.slice(0, i, i + 1), labels.slice(0, i, i + 1), at::tensor({1., 3.}));
    EXPECT_NEAR(one.item<double>(), singles[i], 1e-6);
  }
}

}  // namespace

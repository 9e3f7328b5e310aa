// SPDX-License-Identifier: LGPL-2.1-or-later
// Real photographs through real ImageNet weights; the expected values were written with
// torchvision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "models/backbones/backbones.h"

namespace {

using uad::models::Backbone;
using uad::models::BackboneWeights;

class Photographs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(root_ / "check/expected.json")) {
      GTEST_SKIP() << "no photographs in " << root_;
    }
    expected_ = nlohmann::json::parse(std::ifstream(root_ / "check/expected.json")).at("images");
    ASSERT_EQ(expected_.size(), 6U);
  }

  [[nodiscard]] BackboneWeights weights(const std::string& backbone) const {
    return uad::models::find_backbone_weights(backbone, root_);
  }

  // Shorter side 256, centre 224x224 (Python rounds halves to even), normalised: [1, 3, 224, 224].
  [[nodiscard]] at::Tensor input(const nlohmann::json& entry) const {
    uad::Image image = uad::read_image(root_ / "check" / entry.at("file").get<std::string>());
    const double scale = 256.0 / std::min(image.width, image.height);
    image = uad::resize_antialiased(image, {static_cast<int>(std::lround(image.width * scale)),
                                            static_cast<int>(std::lround(image.height * scale))});
    image =
        uad::crop(image, {static_cast<int>(std::nearbyint((image.width - 224) / 2.0)),
                          static_cast<int>(std::nearbyint((image.height - 224) / 2.0)), 224, 224});
    const at::Tensor pixels = at::from_blob(image.pixels.data(), {1, 224, 224, 3}, at::kByte);
    const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).to(at::kFloat).view({1, 3, 1, 1});
    const at::Tensor std = at::tensor({0.229, 0.224, 0.225}).to(at::kFloat).view({1, 3, 1, 1});
    return (pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255 - mean) / std;
  }

  // The classes with the highest logits, and those logits, must be the expected ones. Decoders and
  // resizers differ slightly, and so may the order of two nearly equal classes.
  static void expect_classes(const at::Tensor& logits, const nlohmann::json& expected) {
    EXPECT_EQ(logits.argmax().item<int>(), expected.at("top5")[0].get<int>());
    for (std::size_t i = 0; i < 5; ++i) {
      const auto logit = expected.at("logits")[i].get<double>();
      EXPECT_NEAR(logits[0][expected.at("top5")[i].get<int>()].item<double>(), logit, 0.05);
    }
  }

  std::filesystem::path root_ = std::filesystem::path(std::getenv("UAD_SHARED_DATA")) / "weights";
  nlohmann::json expected_;
};

TEST_F(Photographs, LookToResnet18AsToTorchvision) {
  const auto network =
      uad::models::make_backbone("resnet18", "layer1,layer2,layer3", weights("resnet18"), {});
  for (const auto& entry : expected_) {
    const auto features = network->features(input(entry));
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto& layer = entry.at("resnet18").at(network->layers()[i].name);
      const double spread = layer.at("std").get<double>();
      EXPECT_NEAR(features[i].mean().item<double>(), layer.at("mean").get<double>(), 1e-3 * spread);
      EXPECT_NEAR(features[i].std().item<double>(), spread, 1e-3 * spread);
    }
  }
}

TEST_F(Photographs, LookToEfficientnetAsToTorchvision) {
  const auto network = uad::models::make_backbone("efficientnet_b4", "layer1,layer2,layer3,layer4",
                                                  weights("efficientnet_b4"), {});
  const std::array blocks{"block1", "block5", "block9", "block21"};
  for (const auto& entry : expected_) {
    const auto features = network->features(input(entry));
    for (std::size_t i = 0; i < features.size(); ++i) {
      SCOPED_TRACE(entry.at("file").get<std::string>() + " " + blocks.at(i));
      const auto& block = entry.at("efficientnet_b4").at(blocks.at(i));
      const double spread = block.at("std").get<double>();
      EXPECT_NEAR(features[i].mean().item<double>(), block.at("mean").get<double>(), 1e-3 * spread);
      EXPECT_NEAR(features[i].std().item<double>(), spread, 1e-3 * spread);
    }
  }
}

TEST_F(Photographs, AreRecognisedBySqueezenet) {
  const BackboneWeights found = weights("squeezenet1_1");
  const auto network = uad::models::make_backbone("squeezenet1_1", "layer3", found, {});
  for (const auto& entry : expected_) {
    const at::Tensor scores =
        at::conv2d(network->features(input(entry)).front(), found.tensors.at("classifier.1.weight"),
                   found.tensors.at("classifier.1.bias"));
    expect_classes(scores.relu().mean({2, 3}), entry.at("squeezenet1_1"));
  }
}

TEST_F(Photographs, AreRecognisedByMobilenet) {
  const BackboneWeights found = weights("mobilenet_v2");
  const auto network = uad::models::make_backbone("mobilenet_v2", "layer4", found, {});
  const auto tensor = [&](const char* name) { return found.tensors.at(name).to(at::kFloat); };
  for (const auto& entry : expected_) {
    const at::Tensor last =
        at::conv2d(network->features(input(entry)).front(), tensor("features.18.0.weight"));
    const at::Tensor normed =
        at::batch_norm(last, tensor("features.18.1.weight"), tensor("features.18.1.bias"),
                       tensor("features.18.1.running_mean"), tensor("features.18.1.running_var"),
                       false, 0, 1e-5, false);
    const at::Tensor pooled = normed.clamp(0, 6).mean({2, 3});
    expect_classes(at::linear(pooled, tensor("classifier.1.weight"), tensor("classifier.1.bias")),
                   entry.at("mobilenet_v2"));
  }
}

}  // namespace

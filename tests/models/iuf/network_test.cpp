// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/network.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/models/iuf/fixture.h"
#include "tests/support/expect_error.h"

namespace uad::models::iuf {
namespace {

using test::expect_error;
using test::hashed_tensor;
using test::small_iuf_shape;

// Values that learn, of the tensors whose names begin so.
std::int64_t trained_of(const TensorMap& weights, const std::string& prefix) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : weights) {
    count += is_trained(name) && name.starts_with(prefix) ? tensor.numel() : 0;
  }
  return count;
}

TEST(IufNetwork, HasTheSpecifiedParameters) {
  const TensorMap weights = initial_weights({}, 1);
  EXPECT_EQ(trained_of(weights, ""), 9107996);
  EXPECT_EQ(trained_of(weights, "vitclassifiy."), 1390604);
  EXPECT_EQ(trained_of(weights, "") - trained_of(weights, "vitclassifiy."), 7717392);
  EXPECT_EQ(trained_of(weights, "pos_embed."), 3584);
  EXPECT_EQ(trained_of(weights, "transformer.decoder.norm."), 512);
  EXPECT_EQ(trained_of(weights, "input_proj."), 69888);
  EXPECT_EQ(trained_of(weights, "output_proj."), 69904);
  for (const char* number : {"0", "1", "2", "3"}) {
    EXPECT_EQ(trained_of(weights, std::string("transformer.encoder.layers.") + number), 789760);
    EXPECT_EQ(trained_of(weights, std::string("transformer.decoder.layers.") + number), 1103616);
  }
  const TensorMap fifteen = initial_weights({.classes = 15}, 1);
  EXPECT_EQ(trained_of(fifteen, "vitclassifiy."), 1391375);
  EXPECT_EQ(trained_of(initial_weights({.sine = true}, 1), "pos_embed."), 0);
}

TEST(IufNetwork, PartsOfTheClassifierHaveTheSpecifiedParameters) {
  const TensorMap weights = initial_weights({}, 1);
  const std::string oasa = "vitclassifiy.";
  EXPECT_EQ(trained_of(weights, oasa + "conv1"), 768);
  EXPECT_EQ(trained_of(weights, oasa + "bn1"), 512);
  EXPECT_EQ(trained_of(weights, oasa + "fc.0"), 65792);
  EXPECT_EQ(trained_of(weights, oasa + "fc.2"), 3084);
  for (const char* number : {"0.", "1.", "2.", "3."}) {
    const std::string block = oasa + "vit_blocks." + number;
    EXPECT_EQ(trained_of(weights, block), 330112);
    EXPECT_EQ(trained_of(weights, block + "self_attention"), 263168);
    EXPECT_EQ(trained_of(weights, block + "mlp"), 65920);
    EXPECT_EQ(trained_of(weights, block + "norm"), 1024);
  }
}

TEST(IufNetwork, OnlyRunningStatisticsAreNotTrained) {
  for (const auto& [name, tensor] : initial_weights(small_iuf_shape(), 1)) {
    EXPECT_EQ(is_trained(name), name.find("running") == std::string::npos) << name;
    EXPECT_EQ(tensor.scalar_type(), at::kFloat);
  }
}

TEST(IufNetwork, FirstWeightsFollowTheSpecification) {
  const TensorMap weights = initial_weights({}, 3);
  const auto expect_uniform = [&](const char* name, double lowest, double highest) {
    const at::Tensor& tensor = weights.at(name);
    const double margin = 0.02 * (highest - lowest);
    EXPECT_GE(tensor.min().item<double>(), lowest - 1e-6) << name;
    EXPECT_LT(tensor.min().item<double>(), lowest + margin) << name;
    EXPECT_LE(tensor.max().item<double>(), highest + 1e-6) << name;
    EXPECT_GT(tensor.max().item<double>(), highest - margin) << name;
    EXPECT_NEAR(tensor.mean().item<double>(), (lowest + highest) / 2, 2 * margin) << name;
  };
  const auto expect_glorot = [&](const char* name, double fans) {
    const double limit = std::sqrt(6 / fans);
    expect_uniform(name, -limit, limit);
  };
  expect_glorot("vitclassifiy.conv1.weight", 256 + 3);
  expect_glorot("vitclassifiy.vit_blocks.2.mlp.mlp.0.weight", 256 + 128);
  expect_glorot("transformer.encoder.layers.1.self_attn.in_proj_weight", 768 + 256);
  expect_glorot("transformer.decoder.layers.3.linear1.weight", 256 + 1024);
  expect_uniform("pos_embed.row_embed.weight", 0, 1);
  const at::Tensor& queries = weights.at("transformer.decoder.layers.0.learned_embed.weight");
  EXPECT_NEAR(queries.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(queries.std().item<double>(), 1, 0.02);
  for (const auto& [name, tensor] : weights) {
    if (tensor.dim() > 1) continue;
    const bool one = name.ends_with(".weight") || name.ends_with("running_var");  // of norms
    EXPECT_TRUE((tensor == (one ? 1 : 0)).all().item<bool>()) << name;
  }
  expect_uniform("pos_embed.col_embed.weight", 0, 1);
}

TEST(IufNetwork, PatchesHaveTheFansOfTheirArea) {
  const TensorMap weights = initial_weights({.patch = 16}, 3);
  const at::Tensor& conv = weights.at("vitclassifiy.conv1.weight");
  EXPECT_EQ(conv.sizes(), at::IntArrayRef({256, 3, 16, 16}));
  EXPECT_NEAR(conv.max().item<double>(), std::sqrt(6.0 / (259 * 256)), 1e-4);
}

TEST(IufNetwork, EqualSeedsGiveEqualWeights) {
  const TensorMap one = initial_weights(small_iuf_shape(), 7);
  const TensorMap same = initial_weights(small_iuf_shape(), 7);
  const TensorMap other = initial_weights(small_iuf_shape(), 8);
  for (const auto& [name, tensor] : one) EXPECT_TRUE(at::equal(tensor, same.at(name))) << name;
  EXPECT_FALSE(at::equal(one.at("input_proj.weight"), other.at("input_proj.weight")));
}

TEST(IufNetwork, ReadsWhatWasStoredAndTrustsNothing) {
  const NetworkShape shape = small_iuf_shape();
  TensorMap stored;
  for (const auto& [name, tensor] : initial_weights(shape, 1)) stored["net." + name] = tensor;
  const auto read = [&] { return read_weights({stored, {}, "some.uad"}, shape, "net."); };
  EXPECT_TRUE(at::equal(read().at("input_proj.bias"), stored.at("net.input_proj.bias")));
  EXPECT_EQ(read().size(), stored.size());

  at::Tensor& tensor = stored.at("net.vitclassifiy.bn1.running_var");
  const at::Tensor good = tensor;
  const auto refused = [&](const std::string& why) {
    expect_error(ErrorCode::kBadFile, {"some.uad", "net.vitclassifiy.bn1.running_var", why}, read);
  };
  tensor = at::full_like(good, std::numeric_limits<float>::quiet_NaN());
  refused("not numbers");
  tensor = at::ones({3});
  refused("shape");
  tensor = good.to(at::kDouble);
  refused("shape");
  stored.erase("net.vitclassifiy.bn1.running_var");
  expect_error(ErrorCode::kBadFile, {"some.uad", "running_var"}, read);
}

TensorMap with_gradients(TensorMap weights) {
  for (auto& [name, tensor] : weights) {
    if (is_trained(name)) tensor.requires_grad_(true);
  }
  return weights;
}

bool learns(const at::Tensor& tensor) {
  return tensor.grad().defined() && tensor.grad().abs().max().item<double>() > 0;
}

// Conditions carry no gradient: the reconstruction must not bend what tells the products apart.
TEST(IufNetwork, TheClassifierLearnsFromTheClassLossOnly) {
  const NetworkShape shape = small_iuf_shape();
  const at::Tensor images = hashed_tensor("input", {2, 3, 32, 48});
  const at::Tensor tokens = hashed_tensor("tokens", {6, 2, 24});
  const auto run = [&](const TensorMap& weights, bool class_loss) {
    const Recognition seen = recognise(weights, shape, images, Pass::kTraining);
    const at::Tensor rebuilt =
        reconstruct(weights, shape, tokens, seen.conditions, nullptr).features;
    (class_loss ? at::cross_entropy_loss(seen.scores, at::tensor({0, 2}, at::kLong))
                : rebuilt.square().mean())
        .backward();
  };
  for (const bool class_loss : {false, true}) {
    const TensorMap weights = with_gradients(initial_weights(shape, 5));
    run(weights, class_loss);
    for (const auto& [name, tensor] : weights) {
      if (!is_trained(name)) continue;
      // A shift of all keys alike changes no attention, so their biases get rounding at most.
      if (name.ends_with("key.bias")) continue;
      EXPECT_EQ(learns(tensor), name.starts_with("vitclassifiy.") == class_loss) << name;
    }
  }
}

}  // namespace
}  // namespace uad::models::iuf

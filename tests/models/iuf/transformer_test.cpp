// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/transformer.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/iuf/attention.h"
#include "models/iuf/neck.h"
#include "models/iuf/scoring.h"
#include "tests/models/golden_values.h"
#include "tests/models/iuf/fixture.h"
#include "tests/support/expect_error.h"

namespace uad::models::iuf {
namespace {

using test::expect_golden;
using test::hashed_tensor;
using test::published_recognition;
using test::published_weights;
using test::small_iuf_shape;

bool close(const at::Tensor& a, const at::Tensor& b) { return at::allclose(a, b, 1e-4, 1e-4); }

at::Generator seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

class IufTransformerAsPublished : public ::testing::Test {
 protected:
  static Reconstruction rebuilt(const NetworkShape& shape) {
    const c10::InferenceMode no_gradients;
    return reconstruct(published_weights(), shape, as_tokens(features()),
                       published_recognition().conditions, nullptr);
  }
  static at::Tensor features() { return hashed_tensor("feature_align", {1, 272, 14, 14}); }
  static double error(const Reconstruction& rebuilt) {
    return at::mse_loss(rebuilt.features, features()).item<double>();
  }
};

TEST_F(IufTransformerAsPublished, RebuildsTheFeaturesOfTheSpecification) {
  const Reconstruction result = rebuilt({});
  ASSERT_EQ(result.features.sizes(), at::IntArrayRef({1, 272, 14, 14}));
  expect_golden(result.features, {-0.00625918, 1.36736, -2.03699, -0.247801, 0.217888});
  const at::Tensor map = anomaly_map(result.features, features(), 224, 224);
  ASSERT_EQ(map.sizes(), at::IntArrayRef({1, 1, 224, 224}));
  expect_golden(map[0], {24.5095, 0.354825, 24.8372, 24.7793, 24.5901});
  EXPECT_NEAR(error(result), 2.210087, 1e-5);
}

TEST_F(IufTransformerAsPublished, DecodesWhatTheSpecificationDecodes) {
  const test::GoldenValues expected[]{{0, 0.999995, -0.592854, 0.356866, -0.238863},
                                      {0, 0.999995, 1.16133, 0.0836704, -0.483991},
                                      {0, 0.999995, -0.288131, -1.25165, -0.718785}};
  const Reconstruction result = rebuilt({});
  ASSERT_EQ(result.decoded.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    const at::Tensor tokens_last = result.decoded[i].permute({1, 2, 0});
    ASSERT_EQ(tokens_last.sizes(), at::IntArrayRef({1, 256, 196}));
    expect_golden(tokens_last, expected[i]);
  }
}

TEST_F(IufTransformerAsPublished, MasksChangeItAsSpecified) {
  const Reconstruction result = rebuilt({.masked = {true, true, true}});
  EXPECT_NEAR(result.features.mean().item<double>(), -0.01862, 1e-5);
  EXPECT_NEAR(result.features.std(/*unbiased=*/false).item<double>(), 1.37842, 1e-5);
  EXPECT_NEAR(result.features[0][0][0][0].item<double>(), -1.82339, 1e-5);
  const at::Tensor map = anomaly_map(result.features, features(), 224, 224);
  EXPECT_NEAR(map.mean().item<double>(), 24.6827, 1e-4);
  EXPECT_NEAR(error(result), 2.242032, 1e-5);
}

// Small networks from here on.
struct Inputs {
  NetworkShape shape = small_iuf_shape();
  TensorMap weights = initial_weights(shape, 4);
  at::Tensor tokens = hashed_tensor("tokens", {6, 2, 24});
  std::vector<at::Tensor> conditions;

  Inputs() {
    for (const char* name : {"a", "b", "c", "d"}) {
      conditions.push_back(hashed_tensor(name, {6, 2, 256}));
    }
  }
  [[nodiscard]] Reconstruction run(at::Generator* random = nullptr, bool outputs = false) const {
    return reconstruct(weights, shape, tokens, conditions, random, outputs);
  }
};

TEST(IufTransformer, BatchGivesWhatSingleImagesGive) {
  Inputs inputs;
  inputs.shape.mask_size = 1;
  inputs.shape.masked = {true, false, true};
  const Reconstruction both = inputs.run();
  ASSERT_EQ(both.features.sizes(), at::IntArrayRef({2, 24, 2, 3}));
  for (std::int64_t i = 0; i < 2; ++i) {
    Inputs alone;
    alone.shape = inputs.shape;
    alone.tokens = inputs.tokens.narrow(1, i, 1);
    for (at::Tensor& one : alone.conditions) one = one.narrow(1, i, 1);
    const Reconstruction result = alone.run();
    EXPECT_TRUE(close(result.features[0], both.features[i]));
    EXPECT_TRUE(close(result.decoded[1].select(1, 0), both.decoded[1].select(1, i)));
  }
}

TEST(IufTransformer, EachConditionReachesItsOwnLayer) {
  const at::Tensor before = Inputs().run().features;
  for (std::size_t i = 0; i < 4; ++i) {
    Inputs inputs;
    inputs.conditions[i] = inputs.conditions[i] * 2;
    EXPECT_FALSE(close(inputs.run().features, before)) << i;
  }
}

TEST(IufTransformer, OutputsOfConstrainedLayersAreMeansOverTheTokens) {
  const Inputs inputs;
  EXPECT_TRUE(inputs.run().outputs.empty());
  const auto outputs = inputs.run(nullptr, true).outputs;
  ASSERT_EQ(outputs.size(), constrained_layers().size());
  ASSERT_EQ(outputs.size(), 8U);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].sizes(), at::IntArrayRef({2, 256}));
    // A shift of the bias is a shift of that output, and of no earlier one.
    Inputs shifted;
    at::Tensor& bias = shifted.weights.at(constrained_layers()[i] + ".bias");
    bias = bias + 1;
    const auto after = shifted.run(nullptr, true).outputs;
    EXPECT_TRUE(close(after[i], outputs[i] + 1)) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_TRUE(at::equal(after[j], outputs[j])) << j;
  }
}

TEST(IufTransformer, ConstrainedLayersAreNamedAsTheirWeights) {
  const TensorMap weights = initial_weights(small_iuf_shape(), 1);
  EXPECT_EQ(constrained_layers().front(), "transformer.encoder.layers.0.linear2");
  EXPECT_EQ(constrained_layers().back(), "transformer.decoder.layers.3.linear2");
  for (const std::string& name : constrained_layers()) {
    EXPECT_EQ(weights.at(name + ".weight").sizes(), at::IntArrayRef({256, 1024}));
  }
}

TEST(IufTransformer, EqualSeedsDropTheSameValues) {
  const Inputs inputs;
  at::Generator one = seeded(3);
  at::Generator same = seeded(3);
  at::Generator other = seeded(4);
  const at::Tensor features = inputs.run(&one).features;
  EXPECT_TRUE(at::equal(features, inputs.run(&same).features));
  EXPECT_FALSE(close(features, inputs.run(&other).features));
  EXPECT_FALSE(close(features, inputs.run(&one).features));  // it has moved on
  EXPECT_FALSE(close(features, inputs.run().features));
  // A run that is taken up again goes on exactly: the generator's state is all there is.
  EXPECT_TRUE(at::equal(one.get_state(), [&] {
    static_cast<void>(inputs.run(&same));
    return same.get_state();
  }()));
}

TEST(IufTransformer, TheGlobalGeneratorIsLeftAlone) {
  const Inputs inputs;
  const at::Generator& global = at::globalContext().defaultGenerator(at::kCPU);
  const at::Tensor before = global.get_state();
  at::Generator random = seeded(3);
  static_cast<void>(inputs.run(&random));
  EXPECT_TRUE(at::equal(global.get_state(), before));
}

TEST(IufTransformer, TensorsOfOtherShapesAreRefused) {
  Inputs inputs;
  inputs.conditions[2] = at::zeros({6, 1, 256});
  test::expect_error(ErrorCode::kShapeMismatch, {"[6, 1, 256]", "[6, 2, 256]"},
                     [&] { return inputs.run(); });
  inputs.conditions.pop_back();
  test::expect_error(ErrorCode::kShapeMismatch, {"3 conditions", "4"},
                     [&] { return inputs.run(); });
  inputs.tokens = at::zeros({2, 6, 24});
  test::expect_error(ErrorCode::kShapeMismatch, {"[2, 6, 24]", "[6, B, 24]"},
                     [&] { return inputs.run(); });
}

TEST(IufDropout, ZeroesATenthAndRaisesTheRest) {
  const at::Tensor ones = at::ones({200, 500});
  at::Generator random = seeded(1);
  const at::Tensor dropped = dropout(ones, /*samples=*/0, &random);
  const at::Tensor zero = dropped == 0;
  EXPECT_NEAR(zero.to(at::kFloat).mean().item<double>(), 0.1, 0.005);
  EXPECT_TRUE(at::allclose(dropped.masked_select(zero.logical_not()), at::full({1}, 1 / 0.9F)));
  EXPECT_TRUE(at::equal(dropout(ones, /*samples=*/0, nullptr), ones));
}

// Eight heads of 32 by hand, with the dropout that the layer will draw.
at::Tensor attended(const TensorMap& weights, const at::Tensor& query, const at::Tensor& key,
                    const at::Tensor& value, const at::Tensor& mask, at::Generator* random) {
  const auto part = [&](std::int64_t i, const at::Tensor& x) {
    const at::Tensor y = at::matmul(x, weights.at("a.in_proj_weight").narrow(0, 256 * i, 256).t()) +
                         weights.at("a.in_proj_bias").narrow(0, 256 * i, 256);
    return y.expand({-1, key.size(1), -1}).unflatten(2, {8, 32}).permute({1, 2, 0, 3});
  };
  at::Tensor scores = at::matmul(part(0, query), part(1, key).transpose(2, 3)) / std::sqrt(32.0);
  if (mask.defined()) scores = scores + mask;
  const at::Tensor seen =
      at::matmul(dropout(scores.softmax(3), /*samples=*/0, random), part(2, value));
  return at::matmul(seen.permute({2, 0, 1, 3}).flatten(2), weights.at("a.out_proj.weight").t()) +
         weights.at("a.out_proj.bias");
}

TEST(IufAttention, EqualsHeadsByHandWithAndWithoutDropoutAndMask) {
  TensorMap weights;
  Layout layout;
  add_attention(layout, "a");
  for (const Slot& slot : layout.slots()) weights[slot.name] = hashed_tensor(slot.name, slot.shape);
  const at::Tensor key = hashed_tensor("key", {6, 3, 256});
  const at::Tensor value = hashed_tensor("value", {6, 3, 256});
  const at::Tensor mask = hashed_tensor("mask", {6, 6}) * 5;
  for (const std::int64_t batch : {3, 1}) {
    const at::Tensor query = hashed_tensor("query", {6, batch, 256}) / 16;
    for (const at::Tensor& added : {at::Tensor(), mask}) {
      EXPECT_TRUE(at::allclose(Attention{weights, "a", added, nullptr}(query, key, value),
                               attended(weights, query, key, value, added, nullptr), 1e-4, 1e-3));
      at::Generator one = seeded(5);
      at::Generator same = seeded(5);
      EXPECT_TRUE(at::allclose(Attention{weights, "a", added, &one}(query, key, value),
                               attended(weights, query, key, value, added, &same), 1e-4, 1e-3));
    }
  }
}

}  // namespace
}  // namespace uad::models::iuf

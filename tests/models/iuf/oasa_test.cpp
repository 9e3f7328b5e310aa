// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/oasa.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "core/distributed/shared_batch.h"
#include "tests/models/golden_values.h"
#include "tests/models/iuf/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/thread_processes.h"

namespace uad::models::iuf {
namespace {

using test::expect_golden;
using test::hashed_tensor;
using test::published_image;
using test::published_recognition;
using test::published_weights;
using test::small_iuf_shape;

bool close(const at::Tensor& a, const at::Tensor& b) { return at::allclose(a, b, 1e-4, 1e-4); }

TEST(IufOasaAsPublished, GivesTheScoresOfTheSpecification) {
  ASSERT_EQ(published_recognition().scores.sizes(), at::IntArrayRef({1, 12}));
  expect_golden(published_recognition().scores, {-0.0982033, 4.17036, -5.7538, -6.35517, 2.12409});
}

TEST(IufOasaAsPublished, GivesTheConditionsOfTheSpecification) {
  const auto& conditions = published_recognition().conditions;
  ASSERT_EQ(conditions.size(), 4U);
  for (const at::Tensor& one : conditions) {
    EXPECT_EQ(one.sizes(), at::IntArrayRef({196, 1, 256}));
    EXPECT_TRUE(one.is_contiguous());
  }
  const at::Tensor map = conditions[0].permute({1, 2, 0}).reshape({1, 256, 14, 14});
  expect_golden(map, {0.118515, 0.902537, 0.1222, 0.336214, 0.613505});
}

TEST(IufOasaAsPublished, ItsFirstBlockGivesTheMapOfTheSpecification) {
  const c10::InferenceMode no_gradients;
  const at::Tensor rows = embed(published_weights(), {}, published_image(), Pass::kInference);
  ASSERT_EQ(rows.sizes(), at::IntArrayRef({14, 16, 224, 256}));
  const at::Tensor map = run_block(published_weights(), 0, rows.flatten(0, 1));
  expect_golden(map.unsqueeze(0), {0.118515, 1.85477, 3.21364, 1.38888, 0.550554});
}

// The same network written down with other means: all at once, softmax by hand.
struct Plain {
  const TensorMap& weights;
  std::int64_t patch;
  std::vector<at::Tensor> maps;  // of the blocks, [B, h, w, 256]

  at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    return at::matmul(x, weights.at("vitclassifiy." + name + ".weight").t()) +
           weights.at("vitclassifiy." + name + ".bias");
  }
  at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    const at::Tensor centred = x - x.mean(-1, true);
    return centred / at::sqrt(centred.square().mean(-1, true) + 1e-5) *
               weights.at("vitclassifiy." + name + ".weight") +
           weights.at("vitclassifiy." + name + ".bias");
  }
  at::Tensor attend(const std::string& name, const at::Tensor& x) const {
    const at::Tensor q = linear(name + "query", x);
    const at::Tensor k = linear(name + "key", x);
    const at::Tensor v = linear(name + "value", x);
    std::vector<at::Tensor> heads;
    for (std::int64_t head = 0; head < 4; ++head) {
      const auto of = [&](const at::Tensor& y) { return y.narrow(-1, 64 * head, 64); };
      const at::Tensor scores = at::matmul(of(q), of(k).transpose(-1, -2)) / 8;
      heads.push_back(at::matmul(scores.softmax(-1), of(v)));
    }
    return linear(name + "out", at::cat(heads, -1));
  }
  /// @param mean  and @param variance  of the batch norm, [256].
  at::Tensor scores(const at::Tensor& images, const at::Tensor& mean, const at::Tensor& variance) {
    const at::Tensor y = at::conv2d(images, weights.at("vitclassifiy.conv1.weight"), {}, patch)
                             .permute({0, 2, 3, 1});
    at::Tensor x = ((y - mean) / at::sqrt(variance + 1e-5) * weights.at("vitclassifiy.bn1.weight") +
                    weights.at("vitclassifiy.bn1.bias"))
                       .relu();
    for (const char* number : {"0.", "1.", "2.", "3."}) {
      const std::string block = std::string("vit_blocks.") + number;
      x = x + attend(block + "self_attention.", norm(block + "norm1", x));
      x = x + linear(block + "mlp.mlp.2",
                     at::gelu(linear(block + "mlp.mlp.0", norm(block + "norm2", x))));
      maps.push_back(x);
    }
    return linear("fc.2", linear("fc.0", x.mean({1, 2})).relu());
  }
};

// Biases and norms other than 0 and 1, too.
TensorMap random_weights(const NetworkShape& shape) {
  TensorMap weights = initial_weights(shape, 11);
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() == 1) tensor = tensor + hashed_tensor(name, tensor.sizes()) / 4;
  }
  return weights;
}

void expect_equal_to_plain(const Recognition& seen, const Plain& plain, const at::Tensor& scores) {
  EXPECT_TRUE(close(seen.scores, scores));
  for (std::size_t i = 0; i < 4; ++i) {
    const at::Tensor pooled =
        at::adaptive_avg_pool2d(plain.maps[i].permute({0, 3, 1, 2}), {2, 3}).flatten(2);
    EXPECT_TRUE(close(seen.conditions[i], pooled.permute({2, 0, 1}))) << i;
  }
}

// Three images are more than are taken at once.
TEST(IufOasa, EqualsThePlainNetworkInBothStems) {
  for (const std::int64_t patch : {1, 16}) {
    NetworkShape shape = small_iuf_shape();
    shape.patch = patch;
    const TensorMap weights = random_weights(shape);
    const at::Tensor images = hashed_tensor("input", {3, 3, 32, 48});
    Plain plain{weights, patch, {}};
    const at::Tensor scores = plain.scores(images, weights.at("vitclassifiy.bn1.running_mean"),
                                           weights.at("vitclassifiy.bn1.running_var"));
    expect_equal_to_plain(recognise(weights, shape, images, Pass::kInference), plain, scores);
  }
}

TEST(IufOasa, TrainingNormalisesByTheBatchAndRemembersIt) {
  for (const std::int64_t patch : {1, 16}) {
    NetworkShape shape = small_iuf_shape();
    shape.patch = patch;
    const TensorMap weights = random_weights(shape);
    const at::Tensor images = hashed_tensor("input", {3, 3, 32, 48});
    const at::Tensor y = at::conv2d(images, weights.at("vitclassifiy.conv1.weight"), {}, patch);
    const at::Tensor mean = y.mean({0, 2, 3});
    const at::Tensor variance = y.var(at::IntArrayRef({0, 2, 3}), /*unbiased=*/false);
    const double count = static_cast<double>(y.numel()) / 256;
    const at::Tensor old_mean = weights.at("vitclassifiy.bn1.running_mean").clone();
    const at::Tensor old_variance = weights.at("vitclassifiy.bn1.running_var").clone();

    Plain plain{weights, patch, {}};
    const at::Tensor scores = plain.scores(images, mean, variance);
    expect_equal_to_plain(recognise(weights, shape, images, Pass::kTraining), plain, scores);
    EXPECT_TRUE(close(weights.at("vitclassifiy.bn1.running_mean"), old_mean * 0.9 + mean * 0.1));
    EXPECT_TRUE(close(weights.at("vitclassifiy.bn1.running_var"),
                      old_variance * 0.9 + variance * (count / (count - 1)) * 0.1));
  }
}

// The exact stem keeps nothing between its chunks, of which this batch makes two.
TEST(IufOasa, ExactStemTrainsInChunksToTheGradientsOfThePlainNetwork) {
  NetworkShape shape = small_iuf_shape();
  shape.patch = 1;
  const at::Tensor images = hashed_tensor("input", {3, 3, 32, 48});
  const at::Tensor labels = at::tensor({0, 2, 1}, at::kLong);
  TensorMap chunked = random_weights(shape);
  TensorMap whole = random_weights(shape);
  for (TensorMap* weights : {&chunked, &whole}) {
    for (auto& [name, tensor] : *weights) tensor.requires_grad_(is_trained(name));
  }
  at::cross_entropy_loss(recognise(chunked, shape, images, Pass::kTraining).scores, labels)
      .backward();
  const at::Tensor y = at::conv2d(images, whole.at("vitclassifiy.conv1.weight"));
  Plain plain{whole, 1, {}};
  const at::Tensor scores = plain.scores(images, y.mean({0, 2, 3}),
                                         y.var(at::IntArrayRef({0, 2, 3}), /*unbiased=*/false));
  at::cross_entropy_loss(scores, labels).backward();
  int compared = 0;
  for (const auto& [name, tensor] : whole) {
    if (!tensor.grad().defined()) continue;  // of the reconstruction
    const at::Tensor difference = chunked.at(name).grad() - tensor.grad();
    EXPECT_LT(difference.norm().item<double>(), 1e-3 * tensor.grad().norm().item<double>() + 1e-6)
        << name;
    ++compared;
  }
  EXPECT_EQ(compared, 3 + 4 * 16 + 4);
}

TEST(IufOasa, ExactStemSeesTheWholeBatchOfSeveralProcesses) {
  NetworkShape shape = small_iuf_shape();
  shape.patch = 1;
  const at::Tensor images = hashed_tensor("input", {3, 3, 32, 48});
  const TensorMap alone = random_weights(shape);
  const at::Tensor expected = recognise(alone, shape, images, Pass::kTraining).scores;
  constexpr int kProcesses = 2;
  std::vector<at::Tensor> scores(kProcesses);
  std::vector<TensorMap> weights{random_weights(shape), random_weights(shape)};
  test::run_together(kProcesses, [&](int rank) {
    const auto own = static_cast<std::size_t>(rank);
    const Share share = share_of(images.size(0), processes());
    const BatchScope scope({share, processes()});
    const at::Tensor part = images.narrow(0, share.first, share.count);
    scores[own] = recognise(weights[own], shape, part, Pass::kTraining).scores;
  });
  EXPECT_TRUE(close(at::cat(scores), expected));
  for (const char* name : {"vitclassifiy.bn1.running_mean", "vitclassifiy.bn1.running_var"}) {
    for (const TensorMap& one : weights) EXPECT_TRUE(close(one.at(name), alone.at(name))) << name;
  }
}

TEST(IufOasa, InferenceLeavesTheStatisticsAlone) {
  const NetworkShape shape = small_iuf_shape();
  const TensorMap weights = random_weights(shape);
  const at::Tensor before = weights.at("vitclassifiy.bn1.running_mean").clone();
  static_cast<void>(
      recognise(weights, shape, hashed_tensor("input", {1, 3, 32, 48}), Pass::kInference));
  EXPECT_TRUE(at::equal(weights.at("vitclassifiy.bn1.running_mean"), before));
}

TEST(IufOasa, RowsDoNotSeeEachOther) {
  NetworkShape shape = small_iuf_shape();
  shape.patch = 1;
  const TensorMap weights = random_weights(shape);
  at::Tensor images = hashed_tensor("input", {1, 3, 32, 48});
  const Recognition before = recognise(weights, shape, images, Pass::kInference);
  images.narrow(2, 16, 16).zero_();  // the lower row of cells
  const Recognition after = recognise(weights, shape, images, Pass::kInference);
  EXPECT_TRUE(close(after.conditions[3].narrow(0, 0, 3), before.conditions[3].narrow(0, 0, 3)));
  EXPECT_FALSE(close(after.conditions[3].narrow(0, 3, 3), before.conditions[3].narrow(0, 3, 3)));
}

TEST(IufOasa, ConditionsCarryNoGradient) {
  const NetworkShape shape = small_iuf_shape();
  TensorMap weights = initial_weights(shape, 2);
  for (auto& [name, tensor] : weights) tensor.requires_grad_(is_trained(name));
  const Recognition seen =
      recognise(weights, shape, hashed_tensor("input", {2, 3, 32, 48}), Pass::kTraining);
  EXPECT_TRUE(seen.scores.requires_grad());
  for (const at::Tensor& one : seen.conditions) EXPECT_FALSE(one.requires_grad());
}

TEST(IufOasa, ImagesOfAnotherSizeAreRefused) {
  const NetworkShape shape = small_iuf_shape();
  test::expect_error(ErrorCode::kShapeMismatch, {"[1, 3, 48, 32]", "[B, 3, 32, 48]"}, [&] {
    return recognise(initial_weights(shape, 1), shape, at::zeros({1, 3, 48, 32}), Pass::kInference);
  });
}

}  // namespace
}  // namespace uad::models::iuf

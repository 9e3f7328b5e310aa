// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/stfpm.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/stfpm/learner.h"
#include "models/stfpm/objective.h"
#include "models/stfpm/scoring.h"
#include "tests/models/backbones/fixture.h"
#include "tests/models/parts.h"
#include "tests/support/expect_error.h"

namespace uad::models {
namespace {

using nlohmann::json;
using stfpm::StudentLearner;
using test::expect_error;
using test::hashed_tensor;

// Specification, section 8, check 1.
TEST(StfpmObjective, ComparesDirectionsNotLengths) {
  const at::Tensor teacher = at::tensor({3.0F, 4.0F, 0.0F, 1.0F}).view({1, 2, 1, 2});
  const at::Tensor student = at::tensor({4.0F, 1.0F, 3.0F, 0.0F}).view({1, 2, 1, 2});
  const at::Tensor distances = stfpm::distances(teacher, student);
  EXPECT_NEAR(distances[0][0][0].item<double>(), 0.4, 1e-6);
  EXPECT_NEAR(distances[0][0][1].item<double>(), 0.059715, 1e-6);
  EXPECT_NEAR(stfpm::loss({teacher}, {student}, {{}}).item<double>(), 0.229858, 1e-6);
  EXPECT_NEAR(stfpm::loss({teacher}, {student * 7}, {{}}).item<double>(), 0.229858, 1e-6);
}

TEST(StfpmObjective, IgnoredPositionsAreNoPartOfTheLoss) {
  const at::Tensor teacher = at::tensor({3.0F, 4.0F, 0.0F, 1.0F}).view({1, 2, 1, 2});
  const at::Tensor student = at::tensor({4.0F, 1.0F, 3.0F, 0.0F}).view({1, 2, 1, 2});
  const at::Tensor kept = at::tensor({1, 0}).view({1, 1, 2}).to(at::kBool);
  EXPECT_NEAR(stfpm::loss({teacher}, {student}, {kept}).item<double>(), 0.4, 1e-6);
}

// Specification, section 8, check 2.
TEST(StfpmScoring, MultipliesTheLayersAndThenEnlarges) {
  const std::vector<at::Tensor> layers{at::tensor({0.1F, 0.2F, 0.3F, 0.4F}).view({1, 2, 2}),
                                       at::full({1, 1, 1}, 0.5F), at::full({1, 1, 1}, 0.8F)};
  const at::Tensor product = stfpm::product_map(layers, 4, 4);
  const at::Tensor expected = at::tensor({.04F, .05F, .07F, .08F, .06F, .07F, .09F, .10F, .10F,
                                          .11F, .13F, .14F, .12F, .13F, .15F, .16F});
  EXPECT_TRUE(product.flatten().allclose(expected, 0, 1e-6)) << product;
  const at::Tensor large = at::upsample_bilinear2d(product, {8, 8}, false);
  const at::Tensor diagonal =
      at::tensor({.04F, .0475F, .0625F, .085F, .115F, .1375F, .1525F, .16F});
  EXPECT_TRUE(large[0][0].diagonal().allclose(diagonal, 0, 1e-6));
  // the map is the product at a quarter of the size, enlarged
  const at::Tensor map = stfpm::anomaly_map(layers, 16, 16);
  EXPECT_TRUE(map.allclose(at::upsample_bilinear2d(product, {16, 16}, false), 0, 1e-7));
}

FitContext context(const json& options = json::object()) {
  FitContext made;
  made.method = "stfpm";
  json given{{"backbone", "resnet18"}};
  given.update(options);
  made.options = complete_options(stfpm_method().options, given);
  return made;
}

FittedBackbone fixture_teacher() {
  BackboneWeights weights{test::resnet18_fixture(), "fixture", ""};
  return {make_backbone("resnet18", "layer1,layer2,layer3", weights, {}), ""};
}

/// The student's tensors that hold the fixture's weights.
void make_copy_of_teacher(StudentLearner& learner) {
  const c10::NoGradGuard no_gradients;
  const TensorMap state = learner.state();
  for (const auto& [name, tensor] : test::resnet18_fixture()) {
    state.at("student." + name).copy_(tensor);
  }
}

// Specification, section 8, check 3: the loss of the frozen copies is 0.
TEST(Stfpm, AStudentEqualToItsTeacherScoresZero) {
  StudentLearner learner(context(), fixture_teacher());
  make_copy_of_teacher(learner);
  const auto model = learner.model();
  const Prediction prediction = model->predict({hashed_tensor("input", {1, 3, 64, 64})});
  EXPECT_EQ(prediction.score.item<float>(), 0);
  EXPECT_EQ(prediction.map.abs().max().item<float>(), 0);
  const auto features =
      fixture_teacher().backbone->features(hashed_tensor("input", {1, 3, 64, 64}));
  EXPECT_EQ(stfpm::loss(features, features, {{}, {}, {}}).item<float>(), 0);
}

// Section 8, check 8: the trainable network is the frozen one, of all backbones.
TEST(TrainableResNet, EqualsTheFrozenNetwork) {
  for (const char* name : {"resnet18", "resnet50"}) {
    const ResNetShape& shape = test::resnet_shape(name);
    const TensorMap weights = test::resnet_fixture(shape);
    TrainableResNet trainable(shape, 3, 1);
    trainable.load(weights, "fixture");
    const ResNet frozen(shape, weights, "fixture", resnet_layers(shape), at::kFloat);
    const at::Tensor input = hashed_tensor("input", {1, 3, 64, 64});
    const c10::NoGradGuard no_gradients;
    const auto expected = frozen.features(input);
    const auto found = trainable.forward(input, false);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(
          found[i].allclose(expected[i], 1e-3, 1e-3 * expected[i].abs().max().item<double>()))
          << name << " " << i;
    }
  }
}

TEST(TrainableResNet, StartsFromKaimingsNormalAndHasTheSpecifiedNumberOfParameters) {
  TrainableResNet network(test::resnet_shape("resnet18"), 3, 7);
  std::int64_t count = 0;
  for (const at::Tensor& parameter : network.parameters()) count += parameter.numel();
  EXPECT_EQ(count, 2782784);
  const at::Tensor kernel = network.state().at("layer2.0.conv1.weight");  // [128, 64, 3, 3]
  EXPECT_NEAR(kernel.std().item<double>(), std::sqrt(2.0 / (128 * 9)), 1e-3);
  TrainableResNet same(test::resnet_shape("resnet18"), 3, 7);
  EXPECT_TRUE(same.state().at("conv1.weight").equal(network.state().at("conv1.weight")));
  TrainableResNet other(test::resnet_shape("resnet18"), 3, 8);
  EXPECT_FALSE(other.state().at("conv1.weight").equal(network.state().at("conv1.weight")));
}

TEST(TrainableResNet, WeightsOfAnotherNetworkAreRefused) {
  TrainableResNet network(test::resnet_shape("resnet34"), 3, 1);
  expect_error(ErrorCode::kBadFile, {"fixture", "layer1.2"},
               [&] { network.load(test::resnet18_fixture(), "fixture"); });
}

// Section 8, checks 5 and 6.
TEST(Stfpm, TheStudentLearnsFourImagesAndTheTeacherStaysAsItWas) {
  const FittedBackbone teacher = fixture_teacher();
  StudentLearner learner(context(), teacher);
  Batch batch;
  batch.images = hashed_tensor("input", {4, 3, 64, 64});
  const auto before = teacher.backbone->features(batch.images);
  double loss = 0;
  for (int step = 0; step < 60; ++step) {
    loss = learner.step(batch, 0.4).at("loss");
    if (step == 0) {
      EXPECT_NEAR(loss, 3.3, 0.4);
    }
  }
  EXPECT_LT(loss, 0.4);
  const auto after = teacher.backbone->features(batch.images);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(after[i].equal(before[i]));
}

TEST(Stfpm, MixedPrecisionLearnsAlmostTheSame) {
  Batch batch;
  batch.images = hashed_tensor("input", {2, 3, 64, 64});
  StudentLearner exact(context(), fixture_teacher());
  StudentLearner mixed(context({{"amp", true}}), fixture_teacher());
  for (int step = 0; step < 3; ++step) {
    const double expected = exact.step(batch, 0.1).at("loss");
    EXPECT_NEAR(mixed.step(batch, 0.1).at("loss"), expected, 0.05 * expected);
  }
}

TEST(Stfpm, KeepsItsScoreThroughSavingAndLoading) {
  const Method method = stfpm_method();
  StudentLearner learner(context(), fixture_teacher());
  const auto model = learner.model();
  CheckpointWriter out;
  model->save(out);
  const CheckpointReader in(out.tensors(), context().options, "model.uad");
  const auto loaded = method.load(in, {});
  Tiles tiles{hashed_tensor("input", {2, 3, 64, 64})};
  const Prediction expected = model->predict(tiles);
  const Prediction found = loaded->predict(tiles);
  EXPECT_TRUE(found.map.equal(expected.map));
  EXPECT_GT(expected.score.min().item<float>(), 0);
  // one image alone scores like in a batch, and ignored pixels count for nothing
  Tiles one{tiles.images.narrow(0, 1, 1)};
  EXPECT_NEAR(model->predict(one).score.item<float>(), expected.score[1].item<float>(),
              1e-4 * expected.score[1].item<float>());
  one.keep = at::zeros({1, 1, 64, 64}, at::kByte);
  EXPECT_EQ(model->predict(one).score.item<float>(), 0);
}

TEST(Stfpm, DamagedTensorsAreRefused) {
  StudentLearner learner(context(), fixture_teacher());
  CheckpointWriter out;
  learner.model()->save(out);
  const auto load = [&](TensorMap tensors) {
    return stfpm_method().load(CheckpointReader(std::move(tensors), context().options, "m.uad"),
                               {});
  };
  TensorMap nan = out.tensors();
  nan.at("student.conv1.weight") = at::full({64, 3, 7, 7}, NAN);
  expect_error(ErrorCode::kBadFile, {"student.conv1.weight", "not numbers"}, [&] { load(nan); });
  TensorMap lacking = out.tensors();
  lacking.erase("student.layer3.1.bn2.running_var");
  expect_error(ErrorCode::kBadFile, {"layer3.1.bn2.running_var"}, [&] { load(lacking); });
}

}  // namespace
}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/tiny_unet.h"

#include <cstdlib>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "models/tiny_unet/learner.h"
#include "models/tiny_unet/objective.h"
#include "tests/models/tiny_unet/fixture.h"
#include "tests/support/expect_error.h"

namespace {

using nlohmann::json;
using uad::ErrorCode;
using uad::models::tiny_unet::UnetLearner;
using uad::test::expect_error;

namespace unet = uad::models::tiny_unet;

constexpr std::int64_t kSide = 32;

uad::FitContext context(const json& options = json::object()) {
  const uad::Method method = uad::models::tiny_unet_method();
  uad::FitContext made;
  made.method = method.name;
  made.options = uad::complete_options(method.options, options);
  made.input = method.default_input;
  made.input.resize = {kSide, kSide};
  return made;
}

/// Striped surfaces with noise, every second one with a dark ellipse anywhere.
uad::Tiles surfaces(int count, int seed) {
  at::manual_seed(seed);
  const at::Tensor h = at::arange(kSide).view({kSide, 1}).to(at::kFloat);
  const at::Tensor w = at::arange(kSide).view({1, kSide}).to(at::kFloat);
  uad::Tiles tiles;
  std::vector<at::Tensor> images;
  std::vector<at::Tensor> masks;
  for (int i = 0; i < count; ++i) {
    const at::Tensor draw = at::rand({3}) * (kSide - 20) + 10;
    const at::Tensor inside = (((h - draw[0]) / 5).square() + ((w - draw[1]) / 8).square() <= 1) &
                              at::full({}, i % 2 == 1);
    const at::Tensor stripes = 0.3 * at::sin(0.6 * h + 0.4 * w + draw[2]);
    const at::Tensor image = stripes + at::randn({kSide, kSide}) * 0.05 - 0.4 * inside;
    images.push_back(image.clamp(-1, 1).expand({3, kSide, kSide}));
    masks.push_back(inside.view({1, kSide, kSide}));
  }
  tiles.images = at::stack(images).contiguous();
  tiles.masks = at::stack(masks).to(at::kByte);
  tiles.labels = tiles.masks.flatten(1).amax(1).to(at::kLong);
  return tiles;
}

/// As in training, but with a learning rate that suits a few seconds.
json quick(std::int64_t steps) { return {{"steps", steps}, {"batch_size", 4}, {"lr", 2e-3}}; }

std::unique_ptr<uad::AnomalyModel> fit(const json& options) {
  const auto fitter = uad::models::tiny_unet_method().make_fitter(context(options));
  fitter->observe(surfaces(40, 1));
  return fitter->finish({});
}

uad::TensorMap tensors_of(const uad::AnomalyModel& model) {
  uad::CheckpointWriter out;
  model.save(out);
  return out.tensors();
}

std::unique_ptr<uad::AnomalyModel> load(const uad::TensorMap& tensors,
                                        const uad::Execution& execution = {}) {
  return uad::models::tiny_unet_method().load(
      uad::CheckpointReader(tensors, context().options, "line3.uad"), execution);
}

uad::Batch batch_of(const uad::Tiles& tiles) {
  return {tiles.images, tiles.keep, tiles.masks.to(at::kFloat), tiles.labels};
}

// Chance would be an AUROC of 0.5 and an IoU of 0.05.
TEST(TinyUnet, LearnsToFindDefectsInImagesItNeverSaw) {
  const auto model = fit(quick(60));
  const uad::Tiles unseen = surfaces(16, 2);
  const uad::Prediction found = model->predict(unseen);
  const at::Tensor bad = found.score.masked_select(unseen.labels == 1);
  const at::Tensor good = found.score.masked_select(unseen.labels == 0);
  const auto auroc = (bad.unsqueeze(1) > good).to(at::kDouble).mean().item<double>();
  const at::Tensor p = found.map > 0.5;
  const at::Tensor t = unseen.masks > 0;
  const double iou = (p & t).sum().item<double>() / (p | t).sum().item<double>();
  EXPECT_GT(auroc, 0.95);
  EXPECT_GT(iou, 0.5);
  EXPECT_TRUE(at::equal(found.score, found.map.flatten(1).amax(1)));
  EXPECT_TRUE(model->traits().probability && model->traits().score_is_map_maximum);
}

TEST(TinyUnet, ScoresTheSameAfterSavingAndLoading) {
  const auto model = UnetLearner(context()).model();
  const uad::Tiles tiles = surfaces(2, 3);
  const uad::Prediction expected = model->predict(tiles);
  const uad::TensorMap saved = tensors_of(*model);
  EXPECT_TRUE(at::equal(load(saved)->predict(tiles).map, expected.map));
  const auto fast = load(saved, {"cpu", "bf16"});
  EXPECT_LT((fast->predict(tiles).map - expected.map).abs().max().item<double>(), 0.02);
  EXPECT_TRUE(at::equal(tensors_of(*fast).at("out.conv1.weight"), saved.at("out.conv1.weight")));
}

TEST(TinyUnet, DamagedTensorsAreRefused) {
  const uad::TensorMap good = tensors_of(*UnetLearner(context()).model());
  const auto with = [&](const char* name, const at::Tensor& tensor) {
    uad::TensorMap tensors = good;
    tensors[name] = tensor;
    return [tensors] { return load(tensors); };
  };
  expect_error(ErrorCode::kBadFile, {"up2.up.weight"},
               with("up2.up.weight", at::zeros({32, 32, 3, 3})));
  expect_error(ErrorCode::kBadFile, {"out.conv3.bias", "not numbers"},
               with("out.conv3.bias", at::full({1}, NAN)));
  uad::TensorMap lacking = good;
  lacking.erase("in.conv2.weight");
  expect_error(ErrorCode::kBadFile, {"in.conv2.weight"}, [&] { return load(lacking); });
}

TEST(TinyUnet, SidesThatItCannotUseAreRefusedBeforeTraining) {
  uad::FitContext odd = context();
  odd.input.resize = {500, 512};
  const auto make = [&] { return uad::models::tiny_unet_method().make_fitter(odd); };
  expect_error(ErrorCode::kBadOption, {"multiples of 16", "500x512", "--resize"}, make);
  odd.input.window = {256, 256};
  EXPECT_NO_THROW(make());
  expect_error(ErrorCode::kBadOption, {"training_crop", "100", "96 is nearest"}, [] {
    return unet::loop_options(context({{"training_crop", 100}}).options);
  });
}

TEST(TinyUnet, LearnsFromDefectiveImagesAlone) {
  const auto fitter = uad::models::tiny_unet_method().make_fitter(context(quick(1)));
  uad::Tiles good = surfaces(1, 4);
  fitter->observe(good);
  expect_error(ErrorCode::kBadOption, {"masks to --data"}, [&] { return fitter->finish({}); });
}

TEST(TinyUnetLearner, IgnoredPixelsAreNoPartOfTheLoss) {
  UnetLearner learner(context());
  uad::Batch batch = batch_of(surfaces(2, 5));
  batch.keep = at::ones({2, 1, kSide, kSide}, at::kByte);
  const double whole = learner.validate(batch).at("loss");
  batch.keep.slice(3, kSide / 2).fill_(0);
  const double half = learner.validate(batch).at("loss");
  batch.masks.slice(3, kSide / 2).fill_(1);
  EXPECT_NE(half, whole);
  EXPECT_EQ(learner.validate(batch).at("loss"), half);
}

TEST(TinyUnetLearner, FiguresAreThoseOfTheObjective) {
  UnetLearner learner(context());
  const uad::Batch batch = batch_of(surfaces(4, 6));
  const uad::Figures apart = learner.validate(batch);
  const auto learning = learner.step(batch, 0);
  const double decay = 1e-5 * unet::decay_term(tensors_of(*learner.model())).item<double>();
  EXPECT_NEAR(learning.at("loss"), apart.at("loss") + decay, 1e-6);
  const at::Tensor p = learner.model()->predict({batch.images}).map;
  EXPECT_NEAR(apart.at("dice"), unet::dice(p, batch.masks).item<double>(), 1e-5);
  double iou = 0;
  for (int i = 0; i < 4; ++i) {
    const at::Tensor found = p[i] > 0.5;
    const at::Tensor there = batch.masks[i] > 0;
    const double either = (found | there).sum().item<double>();
    iou += either == 0 ? 1 : (found & there).sum().item<double>() / either;
  }
  EXPECT_NEAR(apart.at("iou"), iou / 4, 1e-6);
}

TEST(TinyUnetLearner, MixedPrecisionLearnsAlmostTheSame) {
  UnetLearner exact(context());
  UnetLearner mixed(context({{"amp", true}}));
  const uad::Batch batch = batch_of(surfaces(4, 7));
  for (int step = 0; step < 3; ++step) {
    const double expected = exact.step(batch, 1e-4).at("loss");
    EXPECT_NEAR(mixed.step(batch, 1e-4).at("loss"), expected, 0.01 * expected);
  }
}

TEST(TinyUnetLearner, GoesOnFromItsStateBitForBit) {
  const uad::Batch batch = batch_of(surfaces(4, 8));
  UnetLearner straight(context());
  straight.step(batch, 1e-3);
  UnetLearner resumed(context({{"weight_init_method", "glorot_normal"}}));
  const uad::TensorMap kept = straight.state();
  for (const auto& [name, tensor] : resumed.state()) tensor.copy_(kept.at(name));
  EXPECT_EQ(straight.step(batch, 1e-3).at("loss"), resumed.step(batch, 1e-3).at("loss"));
  for (const auto& [name, tensor] : resumed.state()) {
    EXPECT_TRUE(at::equal(tensor, kept.at(name))) << name;
  }
}

// Specification, section 11, on its images. Minutes of work, so it runs where it is asked for.
TEST(TinyUnetLearner, OverfitsTheSpecificationsImages) {
  if (std::getenv("UAD_LONG_TESTS") == nullptr) GTEST_SKIP() << "takes minutes: UAD_LONG_TESTS=1";
  UnetLearner learner(context());
  const auto set = uad::test::ellipses();
  uad::Batch batch{set.images.expand({4, 3, 128, 128}).contiguous()};
  batch.masks = set.masks;
  uad::Figures figures;
  std::int64_t first_dice = 0;  // step whose loss was Dice
  for (std::int64_t step = 0; step < 250; ++step) {
    figures = learner.step(batch, 1e-4);
    if (first_dice == 0 && 1 - figures.at("dice") < unet::kAdaptiveSwitch) first_dice = step;
  }
  EXPECT_NEAR(static_cast<double>(first_dice), 105, 25);
  EXPECT_GT(figures.at("dice"), 0.95);
  EXPECT_GT(figures.at("iou"), 0.95);
}

}  // namespace

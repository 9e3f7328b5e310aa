// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/vgg_cam.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/option_spec.h"
#include "core/files/safetensors.h"
#include "core/gradient/training_loop.h"
#include "models/vgg_cam/learner.h"
#include "tests/models/backbones/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using nlohmann::json;
using uad::ErrorCode;
using uad::test::expect_error;

constexpr int kNew = 1000;  // seeds from here on are parts that were not learnt from

constexpr int kSide = 128;

struct Place {
  std::int64_t row, column;
};

/// Of the middle of a part's defect.
Place defect_of(int seed) { return {20 + 22 * (seed % 5), 20 + 22 * (seed * 3 % 5)}; }

/// The 12x12 pixels of a defect.
at::Tensor around(const at::Tensor& image, Place place) {
  return image.slice(-2, place.row - 6, place.row + 6)
      .slice(-1, place.column - 6, place.column + 6);
}

/// A dark part, float32 [1, 3, 128, 128], 0…1; a defect is a bright square somewhere on it. Weights
/// by chance see nothing in the dark, so that what is told apart can also be told where.
at::Tensor photo(int seed, bool defect) {
  at::manual_seed(seed);
  at::Tensor image = at::rand({1, 3, kSide, kSide}) * 0.05;
  if (defect) around(image, defect_of(seed)).add_(0.7);
  return image;
}

/// Good and defective parts by turns.
uad::Tiles photos(int first, int count) {
  std::vector<at::Tensor> images;
  for (int i = 0; i < count; ++i) images.push_back(photo(first + i, i % 2 == 1));
  uad::Tiles tiles;
  tiles.images = at::cat(images);
  tiles.labels = at::arange(count, at::kLong).remainder(2);
  return tiles;
}

class VggCam : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new uad::test::TempDir;
    uad::write_safetensors(*folder_ / "resnet18.safetensors", uad::test::resnet18_fixture(), {});
    model_ = trained().release();
  }
  static void TearDownTestSuite() {
    delete model_;
    delete folder_;
  }

  static uad::FitContext context(json options = json::object()) {
    options.emplace("backbone", "resnet18");
    options.emplace("lr", 1e-3);
    options.emplace("epochs", 8);
    options.emplace("target_train_accuracy", 1);
    options.emplace("normalize", "none");
    uad::FitContext made;
    made.method = "vgg-cam";
    made.options = uad::complete_options(uad::models::vgg_cam_method().options, options);
    made.weights_dir = folder_->path();
    made.input = uad::models::vgg_cam_method().default_input;
    return made;
  }

  static std::unique_ptr<uad::AnomalyModel> trained() {
    const auto fitter = uad::models::vgg_cam_method().make_fitter(context());
    fitter->observe(photos(0, 30));
    return fitter->finish({});
  }

  static uad::TensorMap tensors() {
    uad::CheckpointWriter out;
    model_->save(out);
    return out.tensors();
  }

  static std::unique_ptr<uad::AnomalyModel> load(const uad::TensorMap& tensors) {
    return uad::models::vgg_cam_method().load({tensors, context().options, "line3.uad"}, {});
  }

  inline static uad::test::TempDir* folder_ = nullptr;
  inline static uad::AnomalyModel* model_ = nullptr;
};

TEST_F(VggCam, TellsDefectsApartAndFindsThem) {
  const uad::Tiles news = photos(kNew, 20);
  const uad::Prediction found = model_->predict(news);
  const at::Tensor right = (found.score >= 0.5) == news.labels.to(at::kBool);
  EXPECT_GE(right.to(at::kInt).sum().item<int>(), 19);  // chance: 10
  double inside = 0;
  double everywhere = 0;
  for (int i = 1; i < 20; i += 2) {
    const at::Tensor heat = found.map[i] / (2 * found.score[i]).clamp_max(1);
    inside += around(heat, defect_of(kNew + i)).mean().item<double>() / 10;
    everywhere += heat.mean().item<double>() / 10;
  }
  EXPECT_GT(inside, 0.6);
  EXPECT_LT(everywhere, 0.35);
}

TEST_F(VggCam, MapIsTheHeatWhereTheImageIsRejectedAndFadesBelow) {
  const uad::Prediction found = model_->predict(photos(kNew, 4));
  EXPECT_TRUE(at::allclose(found.map.amax({1, 2, 3}), (2 * found.score).clamp_max(1)));
  EXPECT_EQ(found.map.amin({1, 2, 3}).abs().max().item<float>(), 0);
  EXPECT_TRUE(model_->traits().probability);
  EXPECT_EQ(model_->traits().map_threshold, 0.7);
  EXPECT_EQ(model_->traits().backbone, "resnet18");
  EXPECT_EQ(model_->traits().backbone_sha256.size(), 64U);
}

TEST_F(VggCam, BatchScoresLikeSingleImages) {
  const uad::Tiles news = photos(kNew, 3);
  const uad::Prediction together = model_->predict(news);
  for (int i = 0; i < 3; ++i) {
    const auto alone = model_->predict({news.images.slice(0, i, i + 1)});
    EXPECT_TRUE(at::allclose(together.map[i], alone.map[0], 1e-4, 1e-4));
    EXPECT_NEAR(together.score[i].item<double>(), alone.score.item<double>(), 1e-5);
  }
}

TEST_F(VggCam, ScoresTheSameAfterSavingAndLoading) {
  const uad::Tiles news = photos(kNew, 2);
  const uad::Prediction loaded = load(tensors())->predict(news);
  EXPECT_TRUE(at::equal(loaded.map, model_->predict(news).map));
  EXPECT_TRUE(at::equal(loaded.score, model_->predict(news).score));
}

TEST_F(VggCam, OnlyTheLastStageHasLearnt) {
  const uad::TensorMap before = uad::test::resnet18_fixture();
  for (const auto& [name, tensor] : tensors()) {
    if (!name.starts_with("backbone.")) continue;
    const std::string own = name.substr(9);
    const bool learns = own.starts_with("layer3.") && tensor.dim() == 4;
    EXPECT_EQ(at::equal(tensor, before.at(own)), !learns) << name;
  }
}

TEST_F(VggCam, IgnoredPixelsJoinNeitherScoreNorMap) {
  const at::Tensor image = photo(kNew, true);  // around row 20, column 20
  at::Tensor keep = at::ones({1, 1, kSide, kSide}, at::kByte);
  keep.slice(2, 0, 64).fill_(0);
  const auto masked = model_->predict({image, keep});
  EXPECT_NE(masked.score.item<float>(), model_->predict({image}).score.item<float>());
  EXPECT_EQ(masked.map.slice(2, 0, 64).abs().max().item<float>(), 0);
  EXPECT_FLOAT_EQ(masked.map.max().item<float>(), std::min(1.0F, 2 * masked.score.item<float>()));
}

TEST_F(VggCam, DamagedTensorsAreRefused) {
  const auto with = [&](const char* name, const at::Tensor& tensor) {
    uad::TensorMap damaged = tensors();
    damaged[name] = tensor;
    return [damaged] { return load(damaged); };
  };
  const std::string head = "classification_head.3.weight";
  expect_error(ErrorCode::kBadFile, {head}, with(head.c_str(), at::zeros({2, 512})));
  expect_error(ErrorCode::kBadFile, {"not numbers"}, with(head.c_str(), at::full({2, 256}, NAN)));
  expect_error(ErrorCode::kBadFile, {"not numbers"},
               with("backbone.layer3.1.conv2.weight", at::full({256, 256, 3, 3}, INFINITY)));
  expect_error(ErrorCode::kBadFile, {"layer1.0.conv1.weight"},
               with("backbone.layer1.0.conv1.weight", at::zeros({64, 64, 1, 1})));
}

TEST_F(VggCam, MissingWeightsAreNamed) {
  expect_error(ErrorCode::kNotFound,
               {"vgg16*.pth", folder_->path().string(), "use another backbone"}, [] {
                 return uad::models::vgg_cam_method().make_fitter(context({{"backbone", "vgg16"}}));
               });
}

TEST_F(VggCam, OptionsThatMeanNothingAreRefused) {
  for (const char* weights : {"3", "1,2,3", "1,-3", "0,1", "good", ""}) {
    expect_error(ErrorCode::kBadOption, {"class_weight", "1,3"}, [&] {
      return uad::models::vgg_cam::Settings(context({{"class_weight", weights}}).options);
    });
  }
  const uad::models::vgg_cam::Settings settings(context({{"class_weight", "[2, 0.5]"}}).options);
  EXPECT_EQ(settings.class_weight, (std::array<double, 2>{2, 0.5}));
}

TEST_F(VggCam, PixelsAreNormalisedAsPublishedUnlessTheWeightsAreOthers) {
  const auto settings = [](json options) {
    return uad::models::vgg_cam::Settings(
        uad::complete_options(uad::models::vgg_cam_method().options, options));
  };
  EXPECT_FALSE(settings({}).imagenet);
  EXPECT_FALSE(settings({{"backbone", "resnet18"}, {"normalize", "none"}}).imagenet);
  const auto imagenet = settings({{"backbone", "resnet18"}});
  const at::Tensor grey = at::full({1, 3, 1, 1}, 128 / 255.0F);
  const at::Tensor wanted = at::tensor({0.0740646F, 0.2051821F, 0.4264924F}).view({1, 3, 1, 1});
  EXPECT_TRUE(at::allclose(imagenet.normalised(grey), wanted, 0, 1e-6));
}

// Specification, section 9, check 7: an epoch of 0.98 itself does not end the training.
TEST_F(VggCam, EndsAfterTheFirstEpochAboveTheTarget) {
  class Scripted final : public uad::Learner {
   public:
    uad::Figures step(const uad::Batch&, double) override {
      return {{"loss", 1}, {"accuracy", accuracies.at(static_cast<std::size_t>(steps++))}};
    }
    uad::Figures validate(const uad::Batch&) override { return {}; }
    uad::TensorMap state() override { return {{"nothing", at::zeros({1})}}; }
    std::unique_ptr<uad::AnomalyModel> model() override { return nullptr; }
    [[nodiscard]] std::int64_t step_bytes(std::int64_t, std::int64_t, std::int64_t) const override {
      return 0;
    }
    std::vector<double> accuracies{.90, .98, .981, 1, 1};
    int steps = 0;
  } learner;
  uad::SampleStore samples(context().input);
  samples.add(photos(0, 8));  // an epoch is one step
  const uad::SampleStore none(context().input);
  const uad::models::vgg_cam::Settings settings(
      context({{"epochs", 10}, {"batch_size", 8}, {"target_train_accuracy", 0.98}}).options);
  uad::TrainingLoop loop(learner, uad::models::vgg_cam::loop_options(settings), samples, none, {},
                         {});
  loop.run({});
  EXPECT_EQ(learner.steps, 3);
}

// Specification, section 9, check 1.
TEST(VggCamLearner, OneStepLeavesTheFrozenLayersOfVgg16BitIdentical) {
  const uad::test::TempDir folder;
  uad::write_safetensors(folder / "vgg16.safetensors", uad::test::vgg16_fixture(), {});
  uad::FitContext made;
  made.options = uad::complete_options(uad::models::vgg_cam_method().options, {});
  made.weights_dir = folder.path();
  uad::models::vgg_cam::CamLearner learner(uad::models::vgg_cam::Settings(made.options), made);
  uad::Batch batch;
  batch.images = at::cat({photo(0, false), photo(1, true)});
  batch.labels = at::tensor({0, 1}, at::kLong);
  const uad::Figures figures = learner.step(batch, 1e-4);
  EXPECT_GT(figures.at("loss"), 0);
  EXPECT_EQ(std::fmod(figures.at("accuracy"), 0.5), 0);

  uad::CheckpointWriter out;
  learner.model()->save(out);
  for (const auto& [name, before] : uad::test::vgg16_fixture()) {
    const bool frozen = std::stoi(name.substr(std::string("features.").size())) <= 22;
    EXPECT_EQ(at::equal(out.tensors().at("backbone." + name), before), frozen) << name;
  }
  EXPECT_TRUE(out.tensors().contains("classification_head.3.weight"));
}

}  // namespace

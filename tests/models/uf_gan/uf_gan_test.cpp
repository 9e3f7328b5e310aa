// SPDX-License-Identifier: LGPL-2.1-or-later
// The method as a whole: few good panels in, a model out.
#include "models/uf_gan/uf_gan.h"

#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/demo/panel.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/tile_batcher.h"
#include "core/training.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad::models {
namespace {

using demo::Mura;
using demo::Severity;
using test::expect_error;

const Method& method() {
  static const Method one = uf_gan_method();
  return one;
}

/// A network of 32 pixels that is done in seconds.
nlohmann::json quick(nlohmann::json more = nlohmann::json::object()) {
  nlohmann::json options{
      {"size", 32},         {"win_size", 64}, {"meta_iters", 2}, {"inner_iters", 2},
      {"eval_interval", 1}, {"task_size", 2}, {"shots", 2},      {"statistics", "reestimated"}};
  options.update(more);
  return complete_options(method().options, options);
}

FitContext context(const nlohmann::json& options) {
  FitContext made;
  made.method = "uf-gan";
  made.options = options;
  made.input = method().input_by_options(options);
  return made;
}

Image panel(std::uint64_t seed, Mura mura = Mura::kNone) {
  return demo::draw_panel({120, 80}, seed, mura,
                          mura == Mura::kNone ? Severity::kLight : Severity::kSerious)
      .image;
}

/// The tiles of a picture, as `input` cuts it.
Tiles cut(const Image& image, const InputSpec& input, const std::string& name = "a.png") {
  const auto batch = TilePreprocessor({input, {}}).cut(view(image));
  const auto& tiles = dynamic_cast<const TensorTiles&>(*batch);
  const std::int64_t count = tiles.images().size(0);
  Tiles made;
  made.images = tiles.images();
  made.windows = count;
  made.names.assign(static_cast<std::size_t>(count), name);
  made.frame_means = at::full({count}, tiles.frame_mean(), at::kFloat);
  return made;
}

void observe(Fitter& fitter, const FitContext& with, int count) {
  for (int i = 0; i < count; ++i) {
    fitter.observe(cut(panel(static_cast<std::uint64_t>(i)), method().training_input(with.input)));
  }
}

void judge_by(Fitter& fitter, const FitContext& with, Mura mura, std::uint64_t seed) {
  Tiles tiles = cut(panel(seed, mura), with.input, std::to_string(seed));
  tiles.labels = at::full({tiles.images.size(0)}, mura == Mura::kNone ? 0 : 1, at::kLong);
  fitter.validate(tiles);
}

TensorMap saved(const AnomalyModel& model) {
  CheckpointWriter writer;
  model.save(writer);
  return writer.tensors();
}

TEST(UfGanInput, CoversTheFrameWithSquaresAtItsEnds) {
  const TilePlan plan = plan_tiles({481, 271}, method().input_by_options({{"size", 128}}));
  EXPECT_EQ(plan.scaled.height, 128);
  EXPECT_EQ(plan.tile, (Size{128, 128}));
  ASSERT_EQ(plan.origins.size(), 2U);
  EXPECT_EQ(plan.origins[1].x, plan.scaled.width - 128);
  const TilePlan upright = plan_tiles({271, 481}, method().input_by_options({{"size", 64}}));
  EXPECT_EQ(upright.scaled.width, 64);
  EXPECT_EQ(upright.origins.size(), 2U);
  EXPECT_EQ(plan_tiles({300, 300}, method().default_input).origins.size(), 1U);
}

/// One that has been trained, with its run's folder: it costs seconds.
class UfGanModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<test::TempDir>();
    with_ = context(quick());
    with_.run.path = folder_->path();
    const auto fitter = method().make_fitter(with_);
    observe(*fitter, with_, 5);
    model_ = fitter->finish({});
  }
  static void TearDownTestSuite() {
    model_.reset();
    folder_.reset();
  }
  [[nodiscard]] static std::unique_ptr<AnomalyModel> loaded() {
    const CheckpointReader reader(saved(*model_), with_.options, "test.uad");
    return method().load(reader, {});
  }

  static std::unique_ptr<test::TempDir> folder_;
  static FitContext with_;
  static std::unique_ptr<AnomalyModel> model_;
};

std::unique_ptr<test::TempDir> UfGanModel::folder_;
FitContext UfGanModel::with_;
std::unique_ptr<AnomalyModel> UfGanModel::model_;

TEST_F(UfGanModel, LearntFromFewPanelsAndIsTheSameAfterSaving) {
  const Tiles tiles = cut(panel(90), with_.input);
  const Prediction found = model_->predict(tiles);
  EXPECT_EQ(found.map.sizes(), at::IntArrayRef({2, 1, 32, 32}));
  EXPECT_EQ(found.score.sizes(), at::IntArrayRef({2}));
  EXPECT_TRUE(at::isfinite(found.score).all().item<bool>());
  EXPECT_EQ(model_->traits().merge, MergeMode::kMax);
  const Prediction again = loaded()->predict(tiles);
  EXPECT_TRUE(again.score.equal(found.score));
  EXPECT_TRUE(again.map.equal(found.map));
}

TEST_F(UfGanModel, TheMapIsWhatTheRedrawnImageDiffersBy) {
  const Tiles tiles = cut(panel(90), with_.input);
  const Redrawing found = model_->redraw(tiles).value();
  EXPECT_EQ(found.copies.sizes(), tiles.images.sizes());
  EXPECT_TRUE(at::allclose((found.images - found.copies).abs().mean(1, true),
                           model_->predict(tiles).map, 1e-5, 1e-6));
  const at::Tensor means = tiles.frame_means.view({-1, 1, 1, 1});
  EXPECT_TRUE(at::allclose(found.images, 1.1 * tiles.images - 0.1 * means, 1e-5, 1e-6));
}

TEST_F(UfGanModel, OneThatWasLoadedKeepsNothingToBeSaved) {
  expect_error(ErrorCode::kFailed, {"cannot be saved"}, [] { (void)saved(*loaded()); });
}

TEST_F(UfGanModel, OtherOptionsAreRefusedOnResume) {
  FitContext other = context(quick({{"meta_iters", 5}}));
  other.run = {folder_->path(), true};
  const auto fitter = method().make_fitter(other);
  observe(*fitter, other, 5);
  expect_error(ErrorCode::kBadOption, {"meta_iters"}, [&] { (void)fitter->finish({}); });
}

TEST(UfGanFitter, BreakInTheMiddleOfATaskChangesNothing) {
  test::TempDir folder;
  FitContext with = context(quick());
  const auto whole = method().make_fitter(with);
  observe(*whole, with, 4);
  const TensorMap expected = saved(*whole->finish({}));
  with.run.path = folder.path();
  for (const bool resume : {false, true}) {
    with.run.resume = resume;
    const auto fitter = method().make_fitter(with);
    observe(*fitter, with, 4);
    std::stop_source stop;
    int steps = 0;
    FitControl control;
    control.progress = [&](double, const std::string&) {
      if (!resume && ++steps == 3) stop.request_stop();
    };
    control.cancel = stop.get_token();
    if (!resume) {
      expect_error(ErrorCode::kCancelled, {"cancelled"}, [&] { (void)fitter->finish(control); });
      continue;
    }
    for (const auto& [name, tensor] : saved(*fitter->finish(control))) {
      EXPECT_TRUE(tensor.equal(expected.at(name))) << name;
    }
  }
}

TEST(UfGanFitter, JudgesWholeFramesOnTheWay) {
  const FitContext with = context(quick());
  const auto fitter = method().make_fitter(with);
  observe(*fitter, with, 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    judge_by(*fitter, with, Mura::kNone, 40 + i);
    judge_by(*fitter, with, Mura::kCorner, 50 + i);
  }
  std::vector<double> curve;
  FitControl control;
  control.figure = [&](const std::string& name, double value) {
    if (name == "val_auroc") curve.push_back(value);
  };
  (void)fitter->finish(control);
  ASSERT_EQ(curve.size(), 2U);
  for (const double value : curve) {
    EXPECT_NEAR(value * 9, std::round(value * 9 * 2) / 2, 1e-9);  // of 3 frames and 3 frames
  }
}

TEST(UfGanFitter, ImagesOfOneClassCannotChoose) {
  const FitContext with = context(quick());
  const auto fitter = method().make_fitter(with);
  observe(*fitter, with, 3);
  judge_by(*fitter, with, Mura::kNone, 1);
  expect_error(ErrorCode::kBadOption, {"--eval_data are all good", "defective"},
               [&] { (void)fitter->finish({}); });
}

TEST(UfGanFitter, FramesSmallerThanTheWindowAreRefusedByName) {
  const FitContext with = context(quick({{"win_size", 128}}));
  const auto fitter = method().make_fitter(with);
  expect_error(ErrorCode::kBadOption, {"\"a.png\" has 120x80 pixels", "--win_size to 80"},
               [&] { observe(*fitter, with, 1); });
}

TEST(UfGanFitter, FramesMayDifferInSize) {
  const FitContext with = context(quick());
  const auto fitter = method().make_fitter(with);
  const InputSpec input = method().training_input(with.input);
  fitter->observe(cut(panel(1), input));
  fitter->observe(cut(demo::draw_panel({100, 90}, 2, Mura::kNone, Severity::kLight).image, input));
  EXPECT_NE(fitter->finish({}), nullptr);
}

TEST(UfGanFitter, ChunksBeyondTheImagesAreRefused) {
  const FitContext with = context(quick({{"no_dataset", 1}}));
  const auto fitter = method().make_fitter(with);
  observe(*fitter, with, 3);
  expect_error(ErrorCode::kBadOption, {"no_dataset", "3 images"},
               [&] { (void)fitter->finish({}); });
}

TEST(UfGanOptions, SizesMustFitTheNetwork) {
  expect_error(ErrorCode::kBadOption, {"multiple of 32", "40"}, [&] {
    (void)method().make_fitter(context(quick({{"size", 40}})));
  });
}

TEST(UfGanFitter, ALossThatIsNotFiniteEndsTheTrainingByName) {
  const FitContext with = context(quick());
  const auto fitter = method().make_fitter(with);
  Tiles frame = cut(panel(1), method().training_input(with.input));
  frame.frame_means.fill_(std::numeric_limits<float>::quiet_NaN());
  fitter->observe(frame);
  expect_error(ErrorCode::kFailed, {"Training stopped at step", "a.png"},
               [&] { (void)fitter->finish({}); });
}

}  // namespace
}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/padim.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/option_spec.h"
#include "tests/models/parts.h"
#include "tests/support/expect_error.h"

namespace {

using nlohmann::json;
using uad::ErrorCode;
using uad::test::expect_error;
using uad::test::expect_finds_defect;
using uad::test::part;

uad::FitContext context(json options = json::object()) {
  options.emplace("backbone", "gabor");
  options.emplace("n_features", 40);
  const uad::Method method = uad::models::padim_method();
  return {.options = uad::complete_options(method.options, options), .execution = {"cpu", "fp32"}};
}

std::unique_ptr<uad::AnomalyModel> fit(const uad::FitContext& made) {
  const auto fitter = uad::models::padim_method().make_fitter(made);
  for (int i = 0; i < 12; ++i) fitter->observe({part(i)});
  return fitter->finish({});
}

uad::TensorMap tensors_of(const uad::AnomalyModel& model) {
  uad::CheckpointWriter out;
  model.save(out);
  return out.tensors();
}

std::unique_ptr<uad::AnomalyModel> load(const uad::TensorMap& tensors,
                                        const uad::FitContext& made) {
  return uad::models::padim_method().load(uad::CheckpointReader(tensors, made.options, "line3.uad"),
                                          {});
}

TEST(Padim, FindsTheDefectAndWhereItIs) { expect_finds_defect(*fit(context())); }

TEST(Padim, GoesOnFromAModel) {
  const auto fit_of = [](int first, int last, std::shared_ptr<const uad::AnomalyModel> start) {
    uad::FitContext made = context();
    made.start = std::move(start);
    const auto fitter = uad::models::padim_method().make_fitter(made);
    for (int i = first; i < last; ++i) fitter->observe({part(i)});
    return std::shared_ptr<const uad::AnomalyModel>(fitter->finish({}));
  };
  const double whole = fit_of(0, 40, nullptr)->predict({part(50, true)}).score.item<double>();
  const auto some = fit_of(0, 25, nullptr);
  const auto tensors = tensors_of(*some);
  const std::shared_ptr<const uad::AnomalyModel> loaded = load(tensors, context());
  const double found = fit_of(25, 40, loaded)->predict({part(50, true)}).score.item<double>();
  EXPECT_NEAR(found, whole, 0.01 * whole);
  EXPECT_EQ(tensors_of(*loaded).at("images").item<std::int64_t>(), 25);
}

TEST(Padim, ScoreIsTheMaximumOfTheMap) {
  const auto model = fit(context());
  const uad::Prediction found = model->predict({at::cat({part(20), part(21, true)})});
  EXPECT_TRUE(model->traits().score_is_map_maximum);
  EXPECT_TRUE(at::equal(found.score, found.map.flatten(1).amax(1)));
}

TEST(Padim, BatchScoresLikeSingleImages) {
  const auto model = fit(context());
  const auto together = model->predict({at::cat({part(20), part(21, true), part(22)})});
  for (int i = 0; i < 3; ++i) {
    const auto alone = model->predict({part(20 + i, i == 1)});
    EXPECT_TRUE(at::allclose(together.map[i], alone.map[0], 1e-5, 1e-4));
  }
}

TEST(Padim, ScoresTheSameAfterSavingAndLoading) {
  for (const char* reduction : {"sample", "ortho"}) {
    const uad::FitContext made = context({{"reduction", reduction}});
    const auto model = fit(made);
    const auto loaded = load(tensors_of(*model), made);
    EXPECT_TRUE(
        at::equal(model->predict({part(20, true)}).map, loaded->predict({part(20, true)}).map));
  }
}

TEST(Padim, DefaultsFollowTheBackbone) {
  EXPECT_EQ(tensors_of(*fit(context({{"n_features", nullptr}}))).at("channels").size(0), 72);
}

TEST(Padim, QualityInspectorsKMeansFeatures) {
  const uad::Method method = uad::models::padim_method();
  EXPECT_EQ(uad::complete_options(method.options, {{"k", 30}}).at("n_features"), 30);
}

// Two windows that look different: dark on the left, bright on the right.
struct TwoWindows {
  static at::Tensor frame(int seed, bool swapped = false) {
    const at::Tensor dark = part(seed, false, 64, 64);
    const at::Tensor bright = part(seed + 100, false, 64, 64) + 3;
    return swapped ? at::cat({bright, dark}) : at::cat({dark, bright});
  }
  static std::unique_ptr<uad::AnomalyModel> fit(const char* positions) {
    const auto fitter =
        uad::models::padim_method().make_fitter(context({{"positions", positions}}));
    // Frames by pairs and cut in the middle of one, as training's batches may be.
    for (int i = 0; i < 12; i += 2) {
      const at::Tensor tiles = at::cat({frame(i), frame(i + 1)});
      fitter->observe({tiles.slice(0, 0, 3), {}, 2, 0});
      fitter->observe({tiles.slice(0, 3), {}, 2, 1});
    }
    return fitter->finish({});
  }
};

TEST(Padim, EveryWindowHasStatisticsOfItsOwn) {
  const auto model = TwoWindows::fit("per-window");
  EXPECT_EQ(tensors_of(*model).at("mean").size(0), 2);
  const auto right = model->predict({TwoWindows::frame(50), {}, 2, 0});
  const auto swapped = model->predict({TwoWindows::frame(50, true), {}, 2, 0});
  EXPECT_GT(swapped.score.min().item<float>(), 3 * right.score.max().item<float>());
  const auto second = model->predict({TwoWindows::frame(50).slice(0, 1), {}, 2, 1});
  EXPECT_TRUE(at::allclose(second.map[0], right.map[1], 1e-5, 1e-4));
}

TEST(Padim, SharedStatisticsKnowNoWindows) {
  const auto model = TwoWindows::fit("shared");
  EXPECT_EQ(tensors_of(*model).at("mean").size(0), 1);
  const auto right = model->predict({TwoWindows::frame(50), {}, 2, 0});
  const auto swapped = model->predict({TwoWindows::frame(50, true), {}, 2, 0});
  EXPECT_TRUE(at::allclose(right.map[0], swapped.map[1], 1e-5, 1e-4));
}

TEST(Padim, OtherShapesAreRefusedWithTheShape) {
  const auto model = fit(context());
  expect_error(ErrorCode::kShapeMismatch, {"32 x 24", "16 x 16", "retrain"},
               [&] { static_cast<void>(model->predict({part(1, false, 64, 64)})); });
  const auto windows = TwoWindows::fit("per-window");
  expect_error(ErrorCode::kShapeMismatch, {"2 window(s)", "gives 3"}, [&] {
    static_cast<void>(windows->predict({part(1, false, 64, 64), {}, 3, 0}));
  });
  const auto fitter = uad::models::padim_method().make_fitter(context());
  fitter->observe({part(1)});
  expect_error(ErrorCode::kBadOption, {"128x96", "64x64", "--resize"},
               [&] { fitter->observe({part(1, false, 64, 64)}); });
}

TEST(Padim, IgnoredPixelsJoinNeitherScoreNorMap) {
  const auto model = fit(context());
  at::Tensor keep = at::ones({1, 1, 96, 128}, at::kByte);
  keep.slice(3, 32, 112).fill_(0);
  const auto masked = model->predict({part(20, true), keep});
  EXPECT_LT(masked.score.item<float>(), 0.5 * model->predict({part(20, true)}).score.item<float>());
  EXPECT_EQ(masked.map.slice(3, 32, 112).abs().max().item<float>(), 0);
  EXPECT_GT(masked.map.slice(3, 0, 32).min().item<float>(), 0);
}

TEST(Padim, NothingObservedIsAnError) {
  const auto fitter = uad::models::padim_method().make_fitter(context());
  expect_error(ErrorCode::kBadOption, {"at least 2 good images", "0 were seen"},
               [&] { return fitter->finish({}); });
}

TEST(Padim, DamagedStatisticsAreRefused) {
  const uad::FitContext made = context();
  const uad::TensorMap good = tensors_of(*fit(made));
  const auto with = [&](const char* name, const at::Tensor& tensor) {
    uad::TensorMap tensors = good;
    tensors[name] = tensor;
    return [&made, tensors] { return load(tensors, made); };
  };
  expect_error(ErrorCode::kBadFile, {"factor"},
               with("factor", at::zeros({1, 24, 32, 819}, at::kHalf)));
  expect_error(ErrorCode::kBadFile, {"factor"},
               with("factor", at::zeros({1, 32, 24, 820}, at::kHalf)));
  expect_error(ErrorCode::kBadFile, {"mean"}, with("mean", at::zeros({1, 24, 32, 41})));
  expect_error(ErrorCode::kBadFile, {"not numbers"}, with("mean", at::full({1, 24, 32, 40}, NAN)));
  expect_error(ErrorCode::kBadFile, {"not numbers"},
               with("factor", at::full({1, 24, 32, 820}, INFINITY, at::kHalf)));
}

}  // namespace

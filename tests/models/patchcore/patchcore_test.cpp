// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/patchcore.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/methods.h"
#include "core/base/option_spec.h"
#include "models/registry.h"
#include "tests/models/parts.h"
#include "tests/support/expect_error.h"

namespace {

using nlohmann::json;
using uad::test::expect_finds_defect;
using uad::test::part;

uad::FitContext context(json options = json::object(), const std::string& precision = "fp32") {
  options.emplace("backbone", "gabor");
  const uad::Method method = uad::models::patchcore_method();
  return {.options = uad::complete_options(method.options, options),
          .execution = {"cpu", precision}};
}

std::unique_ptr<uad::AnomalyModel> fit(const uad::FitContext& context,
                                       const at::Tensor& keep = {}) {
  const auto fitter = uad::models::patchcore_method().make_fitter(context);
  for (int i = 0; i < 6; ++i) fitter->observe({part(i), keep});
  return fitter->finish({});
}

// Every patch of one image.
std::unique_ptr<uad::AnomalyModel> fit_one(uad::FitContext made, const at::Tensor& image) {
  made.options["k"] = 100;
  const auto fitter = uad::models::patchcore_method().make_fitter(made);
  fitter->observe({image});
  return fitter->finish({});
}

at::Tensor bank_of(const uad::AnomalyModel& model) {
  uad::CheckpointWriter out;
  model.save(out);
  return out.tensors().at("bank");
}

TEST(PatchCore, BankHoldsExactlyTheShareAskedFor) {
  // 6 images of 12 x 16 patches.
  for (const double percent : {1.0, 7.3, 10.0, 100.0}) {
    EXPECT_EQ(bank_of(*fit(context({{"k", percent}}))).size(0),
              static_cast<std::int64_t>(6 * 192 * percent / 100));
  }
}

TEST(PatchCore, EveryFlavourFindsTheDefect) {
  for (const char* flavour : {"qi", "amazon", "anomalib"}) {
    const uad::FitContext made = context({{"flavor", flavour}, {"k", 5}});
    const auto model = fit(made);
    const uad::Prediction bad = model->predict({part(20, true)});
    EXPECT_GT(bad.score.item<float>(), 2 * model->predict({part(20)}).score.item<float>());
    uad::CheckpointWriter out;
    model->save(out);
    const auto loaded = uad::models::patchcore_method().load(
        uad::CheckpointReader(out.tensors(), made.options, "line3.uad"), {});
    EXPECT_TRUE(at::equal(bad.map, loaded->predict({part(20, true)}).map)) << flavour;
  }
}

TEST(PatchCore, AmazonsScoresAreSquaredDistancesToItsVectors) {
  const auto amazon = fit(context({{"flavour", "amazon"}, {"k", 100}}));
  const at::Tensor bank = bank_of(*amazon);
  ASSERT_EQ(bank.size(1), 1024);
  // A model of only one vector: the image score is the largest squared distance from it.
  const uad::FitContext made = context({{"flavour", "amazon"}});
  const auto load = [&](const at::Tensor& vectors) {
    const uad::CheckpointReader in({{"bank", vectors}}, made.options, "line3.uad");
    return uad::models::patchcore_method().load(in, {});
  };
  const at::Tensor image = bank_of(*fit_one(made, part(3)));
  const double expected = (image - bank[0]).square().sum(1).max().item<double>();
  EXPECT_NEAR(load(bank.slice(0, 0, 1))->predict({part(3)}).score.item<double>(), expected,
              1e-4 * expected);
}

TEST(PatchCore, AnomalibKeepsTheStart) {
  const at::Tensor kept = bank_of(*fit(context({{"flavor", "anomalib"}})));
  const at::Tensor other = bank_of(*fit(context({{"flavor", "qi"}})));
  // Same seed, same projection: what qi begins at is anomalib's first vector, and not qi's.
  EXPECT_FALSE(at::equal(kept[0], other[0]));
  EXPECT_TRUE(at::equal(kept[1], other[0]));
}

TEST(PatchCore, TooFewPatchesAreAnErrorThatSaysWhatToDo) {
  const auto nothing = uad::models::patchcore_method().make_fitter(context());
  uad::test::expect_error(uad::ErrorCode::kBadOption, {"0 patches", "more images"},
                          [&] { return nothing->finish({}); });
}

TEST(PatchCore, ABoundedBankCoversWhatAllPatchesGave) {
  constexpr int kParts = 100;  // of 192 patches each, more than the store takes at once
  const auto fitted = [](const json& options) {
    const uad::FitContext made = context(options);
    const auto fitter = uad::models::patchcore_method().make_fitter(made);
    for (int i = 0; i < kParts; ++i) fitter->observe({part(i), {}});
    return fitter->finish({});
  };
  const auto bounded = fitted({{"bank_size", 200}});
  EXPECT_EQ(bank_of(*bounded).size(0), 200);
  const auto whole = fitted({{"k", 100.0 * 200.5 / (kParts * 192)}});
  ASSERT_EQ(bank_of(*whole).size(0), 200);
  double worst = 0;
  double worst_of_whole = 0;
  for (int i = 0; i < kParts; ++i) {
    worst = std::max(worst, bounded->predict({part(i)}).map.max().item<double>());
    worst_of_whole = std::max(worst_of_whole, whole->predict({part(i)}).map.max().item<double>());
  }
  EXPECT_LT(worst, 1.5 * worst_of_whole);
  expect_finds_defect(*bounded);
}

TEST(PatchCore, ABoundedBankTakesNoMoreMemoryHoweverManyImagesCome) {
  const auto fitter = uad::models::patchcore_method().make_fitter(context({{"bank_size", 200}}));
  fitter->observe({part(0), {}});
  EXPECT_EQ(fitter->peak_bytes(1000), fitter->peak_bytes(100000));
  EXPECT_LT(fitter->peak_bytes(1), fitter->peak_bytes(100));
}

TEST(PatchCore, GoesOnFromAModelInTheSameMemory) {
  uad::FitContext made = context();
  const std::shared_ptr<const uad::AnomalyModel> start = fit(made);
  const double before = start->predict({part(20, true)}).score.item<double>();
  made.start = start;
  const auto fitter = uad::models::patchcore_method().make_fitter(made);
  fitter->observe({part(21, true), {}});
  const auto next = fitter->finish({});
  EXPECT_EQ(bank_of(*next).size(0), bank_of(*start).size(0));
  EXPECT_LT(next->predict({part(20, true)}).score.item<double>(), 0.5 * before)
      << "what was a defect is good now";
  EXPECT_LT(next->predict({part(22)}).score.item<double>(), 0.5 * before)
      << "and what was good still is";
  EXPECT_EQ(start->predict({part(20, true)}).score.item<double>(), before);
}

TEST(PatchCore, EndedEarlyTheBankIsTheBeginningOfTheWholeOne) {
  const uad::FitContext made = context();
  const at::Tensor whole = bank_of(*fit(made));
  const auto fitter = uad::models::patchcore_method().make_fitter(made);
  for (int i = 0; i < 6; ++i) fitter->observe({part(i), {}});
  std::stop_source enough;
  double coverage = 0;
  const auto early =
      fitter->finish({.progress = [&](double, const std::string&) { enough.request_stop(); },
                      .figure =
                          [&](const std::string& name, double value) {
                            EXPECT_EQ(name, "coverage");
                            coverage = value;
                          },
                      .enough = enough.get_token()});
  const at::Tensor some = bank_of(*early);
  ASSERT_LT(some.size(0), whole.size(0));
  EXPECT_TRUE(at::equal(some, whole.slice(0, 0, some.size(0))));
  EXPECT_GT(coverage, 0);
}

TEST(PatchCore, FindsTheDefectAndWhereItIs) { expect_finds_defect(*fit(context())); }

TEST(PatchCore, TrainingImagesScoreZeroWhenAllIsKept) {
  const auto model = fit(context({{"k", 100}, {"reweight", "none"}}));
  EXPECT_EQ(model->predict({part(3)}).score.item<float>(), 0);
}

TEST(PatchCore, BatchScoresLikeSingleImages) {
  const auto model = fit(context());
  const auto together = model->predict({at::cat({part(20), part(21, true), part(22)})});
  for (int i = 0; i < 3; ++i) {
    const auto alone = model->predict({part(20 + i, i == 1)});
    EXPECT_NEAR(together.score[i].item<float>(), alone.score.item<float>(), 1e-5);
    EXPECT_TRUE(at::allclose(together.map[i], alone.map[0], 1e-5, 1e-5));
  }
}

TEST(PatchCore, AnotherImageSizeThanInTrainingIsFine) {
  const auto prediction = fit(context())->predict({part(20, false, 101, 67)});
  EXPECT_EQ(prediction.map.sizes(), at::IntArrayRef({1, 1, 101, 67}));
}

TEST(PatchCore, IgnoredPixelsJoinNeitherScoreNorMap) {
  const auto model = fit(context());
  at::Tensor keep = at::ones({1, 1, 96, 128}, at::kByte);
  keep.slice(3, 32, 112).fill_(0);
  const auto masked = model->predict({part(20, true), keep});
  EXPECT_LT(masked.score.item<float>(), 0.5 * model->predict({part(20, true)}).score.item<float>());
  EXPECT_EQ(masked.map.slice(3, 32, 112).abs().max().item<float>(), 0);
  EXPECT_GT(masked.map.slice(3, 0, 32).min().item<float>(), 0);
  const auto blind = model->predict({part(20, true), at::zeros_like(keep)});
  EXPECT_EQ(blind.score.item<float>(), 0);
  EXPECT_EQ(blind.map.abs().max().item<float>(), 0);
}

TEST(PatchCore, IgnoredPatchesDoNotJoinTheBank) {
  at::Tensor keep = at::ones({1, 1, 96, 128}, at::kByte);
  keep.slice(3, 64).fill_(0);
  EXPECT_EQ(bank_of(*fit(context({{"k", 100}}), keep)).size(0), 6 * 96);
}

TEST(PatchCore, SameSeedSameBankOtherSeedOtherBank) {
  uad::FitContext other = context();
  other.seed = 4;
  EXPECT_TRUE(at::equal(bank_of(*fit(context())), bank_of(*fit(context()))));
  EXPECT_FALSE(at::equal(bank_of(*fit(context())), bank_of(*fit(other))));
}

TEST(PatchCore, ScoresTheSameAfterSavingAndLoading) {
  for (const char* precision : {"fp32", "fp16"}) {
    const uad::FitContext made = context({{"bank_precision", precision}});
    const auto model = fit(made);
    uad::CheckpointWriter out;
    model->save(out);
    const uad::CheckpointReader in(out.tensors(), made.options, "line3.uad");
    const auto loaded = uad::models::patchcore_method().load(in, {});
    const auto before = model->predict({part(20, true)});
    const auto after = loaded->predict({part(20, true)});
    EXPECT_EQ(before.score.item<float>(), after.score.item<float>());
    EXPECT_TRUE(at::equal(before.map, after.map));
  }
}

TEST(PatchCore, DamagedBanksAreRefused) {
  const uad::FitContext made = context();
  const auto load = [&](const at::Tensor& bank) {
    return [&made, bank] {
      const uad::CheckpointReader in({{"bank", bank}}, made.options, "line3.uad");
      return uad::models::patchcore_method().load(in, {});
    };
  };
  const std::int64_t dimension = bank_of(*fit(made)).size(1);
  using uad::ErrorCode;
  using uad::test::expect_error;
  expect_error(ErrorCode::kBadFile, {"bank"}, load(at::zeros({5, dimension + 1})));
  expect_error(ErrorCode::kBadFile, {"bank"}, load(at::zeros({5, dimension}, at::kHalf)));
  expect_error(ErrorCode::kBadFile, {"empty", "line3.uad"}, load(at::zeros({0, dimension})));
  expect_error(ErrorCode::kBadFile, {"not numbers"}, load(at::full({5, dimension}, NAN)));
}

}  // namespace

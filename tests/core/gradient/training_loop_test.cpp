// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/training_loop.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/gradient/gradient_fitter.h"
#include "core/gradient/run_checkpoint.h"
#include "tests/core/gradient/event_reader.h"
#include "tests/core/gradient/toy.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::expect_error;
using test::flat_store;
using test::TempDir;
using test::ToyLearner;
using ::testing::HasSubstr;

LoopOptions options(std::int64_t epochs = 4) {
  return {.epochs = epochs, .batch_size = 2, .schedule = {.rate = 0.05}};
}

const nlohmann::json kIdentity{{"method", "toy"}, {"lr", 0.05}};

/// A loop with what it borrows.
struct TestRun {
  explicit TestRun(const LoopOptions& how, const RunFolder& folder = {},
                   const std::vector<float>& validation = {})
      : held_out(flat_store(validation)),
        loop(learner, how, training, held_out, folder, kIdentity) {}
  void go(const FitControl& control = {}) { loop.run(control); }

  ToyLearner learner;
  SampleStore training = flat_store({0.2F, 0.4F, 0.6F, 0.8F, 1});
  SampleStore held_out;
  TrainingLoop loop;
};

TEST(TrainingLoop, RunsEveryEpochAndTellsTheMeansOfItsImages) {
  TestRun run(options(4));
  run.go();
  EXPECT_EQ(run.loop.step(), 12);
  ASSERT_EQ(run.loop.points().size(), 4U);
  // the first epoch's loss by hand: weight 0 at first, then two steps with momentum 0.9
  double weight = 0;
  double momentum = 0;
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    const at::Tensor x = run.learner.seen[static_cast<std::size_t>(i)].to(at::kDouble);
    sum += (x - weight).square().mean().item<double>() * static_cast<double>(x.size(0));
    momentum = 0.9 * momentum + 2 * (weight - x.mean().item<double>());
    weight -= 0.05 * momentum;
  }
  EXPECT_NEAR(run.loop.points()[0].training.at("loss"), sum / 5, 1e-5);
  EXPECT_EQ(run.loop.points()[3].epoch, 4);
}

TEST(TrainingLoop, TheWeightsOfTheBestRoundAreKept) {
  LoopOptions how = options(30);
  how.best_by = "error";
  TestRun run(how, {}, {0.2F});  // on the way from 0 to 0.6 the weight passes by 0.2
  run.go();
  std::size_t best = 0;
  const auto& points = run.loop.points();
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].validation.at("error") < points[best].validation.at("error")) best = i;
  }
  ASSERT_LT(best, points.size() - 1);
  EXPECT_NEAR(std::pow(run.learner.weight() - 0.2F, 2), points[best].validation.at("error"), 1e-7);
}

TEST(TrainingLoop, TheHighestFigureMayMarkTheBestAndOfEqualsTheLater) {
  LoopOptions how = options(30);
  how.best_by = "rank";
  how.best_is_highest = true;
  how.best_at_least = 0.5;
  how.best_after = 6;  // steps: two rounds
  TestRun run(how, {}, {0.2F});
  run.learner.ranks = {1.0, 1.0, 0.6, 0.9, 0.9, 0.7};  // and 0.7 from then on
  std::vector<double> weights;
  run.learner.at_validation = [&] { weights.push_back(run.learner.weight()); };
  run.go();
  EXPECT_EQ(run.learner.weight(), weights.at(4));
}

TEST(TrainingLoop, WithoutAnyFairRoundTheLastWeightsStay) {
  LoopOptions how = options(5);
  how.best_by = "rank";
  how.best_is_highest = true;
  how.best_at_least = 0.95;
  TestRun run(how, {}, {0.2F});
  run.learner.ranks = {0.9};
  std::vector<double> weights;
  run.learner.at_validation = [&] { weights.push_back(run.learner.weight()); };
  run.go();
  EXPECT_EQ(run.learner.weight(), weights.back());
}

TEST(TrainingLoop, EndsEarlyWithoutABetterRoundOrOnceItsTargetIsExceeded) {
  LoopOptions patient = options(100);
  patient.best_by = "error";
  patient.patience = 3;
  TestRun run(patient, {}, {0});  // the first round is the best
  run.go();
  EXPECT_EQ(run.loop.points().size(), 4U);

  LoopOptions aiming = options(100);
  aiming.target_figure = "loss";
  aiming.target = -1;
  TestRun first(aiming);
  first.go();
  EXPECT_EQ(first.loop.points().size(), 1U);
  aiming.target_figure = "share";
  aiming.target = 0;  // reached, but not exceeded: all labels are 0
  aiming.epochs = 3;
  TestRun never(aiming);
  never.go();
  EXPECT_EQ(never.loop.points().size(), 3U);
}

TEST(TrainingLoop, StepsMayBeCountedInsteadOfEpochs) {
  LoopOptions how = options(0);
  how.steps = 7;
  how.round_steps = 3;
  how.schedule = {.kind = Schedule::Kind::kStep, .rate = 0.1, .factor = 0.5, .every = 3};
  TestRun run(how);
  run.go();
  ASSERT_EQ(run.loop.points().size(), 3U);
  EXPECT_EQ(run.loop.points()[2].step, 7);
  EXPECT_DOUBLE_EQ(run.loop.points()[1].learning_rate, 0.05);
  for (const at::Tensor& batch : run.learner.seen) EXPECT_EQ(batch.size(0), 2);
}

/// Ends the run as if by a signal after so many steps.
void stop_after(TestRun& run, std::int64_t steps, std::stop_source& source) {
  run.learner.before_step = [&run, steps, &source](const at::Tensor& loss) {
    if (static_cast<std::int64_t>(run.learner.seen.size()) == steps) source.request_stop();
    return loss;
  };
}

TEST(TrainingLoop, ACancelledRunResumesToTheSameBits) {
  for (const std::int64_t cut : {1, 2, 3, 4, 7, 11}) {
    LoopOptions how = options(4);
    how.best_by = "error";
    how.augmentation = {.brightness = 0.2};
    TestRun whole(how, {}, {0.3F});
    whole.go();
    const TempDir dir;
    {
      TestRun broken(how, {dir.path(), false}, {0.3F});
      std::stop_source cancel;
      stop_after(broken, cut, cancel);
      expect_error(ErrorCode::kCancelled, {}, [&] { broken.go({.cancel = cancel.get_token()}); });
      EXPECT_EQ(broken.loop.step(), cut);
    }
    TestRun resumed(how, {dir.path(), true}, {0.3F});
    resumed.go();
    EXPECT_EQ(resumed.learner.weight(), whole.learner.weight()) << cut;
    EXPECT_EQ(resumed.learner.seen.size(), 12 - static_cast<std::size_t>(cut));
    ASSERT_EQ(resumed.loop.points().size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(resumed.loop.points()[i].training, whole.loop.points()[i].training) << cut;
    }
  }
}

TEST(TrainingLoop, AnEarlierRunIsSetAsideWhereNothingIsResumed) {
  const TempDir dir;
  TestRun first(options(1), {dir.path(), false});
  first.go();
  const std::string state = test::read_bytes(dir / "last.ckpt");
  TestRun second(options(2), {dir.path(), false});
  second.go();
  EXPECT_EQ(test::read_bytes(dir / "earlier/last.ckpt"), state);
  EXPECT_TRUE(std::filesystem::exists(dir / "earlier/curves.csv"));
  const auto files = std::filesystem::directory_iterator(dir.path());
  const auto events = std::count_if(begin(files), end(files), [](const auto& entry) {
    return entry.path().filename().string().starts_with("events.out.tfevents.");
  });
  EXPECT_EQ(events, 1) << "one run a folder, as TensorBoard shows it";
}

TEST(TrainingLoop, CurvesMayGoElsewhereAndEveryCheckpointMayStay) {
  const TempDir dir;
  LoopOptions how = options(2);
  how.checkpoint_seconds = 0;  // after every epoch of three steps
  const RunFolder folder{
      .path = dir / "run", .resume = false, .logs = dir / "logs", .keep_all = true};
  TestRun first(how, folder);
  first.go();
  EXPECT_TRUE(std::filesystem::exists(dir / "logs/curves.csv"));
  EXPECT_FALSE(std::filesystem::exists(dir / "run/curves.csv"));
  EXPECT_EQ(test::read_bytes(dir / "run/step-6.ckpt"), test::read_bytes(dir / "run/last.ckpt"));
  ASSERT_TRUE(std::filesystem::exists(dir / "run/step-3.ckpt"));
  TestRun second(how, folder);
  second.go();
  EXPECT_TRUE(std::filesystem::exists(dir / "run/earlier/step-3.ckpt"));
  EXPECT_TRUE(std::filesystem::exists(dir / "logs/earlier/curves.csv"));
}

TEST(TrainingLoop, AnEarlyEndIsForgottenByMorePatience) {
  const TempDir dir;
  LoopOptions how = options(20);
  how.best_by = "error";
  how.patience = 3;
  TestRun hasty(how, {dir.path(), false}, {0});  // the first round is the best
  hasty.go();
  ASSERT_EQ(hasty.loop.points().size(), 4U);
  TestRun same(how, {dir.path(), true}, {0});
  same.go();
  EXPECT_EQ(same.loop.points().size(), 4U);
  how.patience = 6;
  TestRun patient(how, {dir.path(), true}, {0});
  patient.go();
  EXPECT_EQ(patient.loop.points().size(), 7U);
}

TEST(TrainingLoop, AValidationFigureThatIsNoNumberEndsIt) {
  LoopOptions how = options(4);
  how.best_by = "error";
  TestRun run(how, {}, {0.5F});
  run.learner.error_factor = NAN;
  expect_error(ErrorCode::kFailed, {"step 3 of 12", "the error became nan", "Lower"},
               [&] { run.go(); });
}

TEST(TrainingLoop, ACancelledRunAlsoGoesOnInMemory) {
  TestRun whole(options(4));
  whole.go();
  TestRun paused(options(4));
  std::stop_source cancel;
  stop_after(paused, 5, cancel);
  expect_error(ErrorCode::kCancelled, {}, [&] { paused.go({.cancel = cancel.get_token()}); });
  paused.go();
  EXPECT_EQ(paused.learner.weight(), whole.learner.weight());
}

TEST(TrainingLoop, EnoughEndsItWithTheBestSoFar) {
  TestRun run(options(100));
  std::stop_source enough;
  stop_after(run, 7, enough);
  run.go({.enough = enough.get_token()});
  EXPECT_EQ(run.loop.step(), 7);
}

TEST(TrainingLoop, ALossThatIsNoNumberNamesStepAndImagesAndKeepsTheCheckpoint) {
  const TempDir dir;
  TestRun run(options(4), {dir.path(), false});
  run.learner.before_step = [&](const at::Tensor& loss) {
    return run.learner.seen.size() == 5 ? loss * NAN : loss;
  };
  expect_error(ErrorCode::kFailed,
               {"step 5 of 12 (epoch 2, images #", "the loss became nan", "Lower the learning rate",
                "last.ckpt", "--resume"},
               [&] { run.go(); });
  const RunCheckpoint last = load_run_checkpoint(dir / "last.ckpt", kIdentity);
  EXPECT_EQ(last.progress.at("step"), 3);
  EXPECT_TRUE(at::isfinite(last.tensors.at("weight")).all().item<bool>());
}

TEST(TrainingLoop, NoCheckpointIsPromisedWhereNoneIs) {
  const TempDir dir;
  TestRun run(options(4), {dir.path(), false});
  run.learner.before_step = [](const at::Tensor& loss) { return loss * NAN; };
  try {
    run.go();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("last.ckpt"), std::string::npos) << error.what();
  }
}

TEST(TrainingLoop, AHopelessRunEnds) {
  LoopOptions how = options(50);
  how.schedule.rate = 1.5;  // overshoots more and more
  how.hopeless_rounds = 5;
  TestRun run(how);
  expect_error(ErrorCode::kFailed, {"above its first value", "Lower the learning rate"},
               [&] { run.go(); });
  const auto& points = run.loop.points();
  ASSERT_LT(points.size(), 50U);
  for (std::size_t i = points.size() - 5; i < points.size(); ++i) {
    EXPECT_GT(points[i].training.at("loss"), points[0].training.at("loss"));
  }
}

TEST(TrainingLoop, ACheckpointOfAnotherRunOrFormatIsRefused) {
  const TempDir dir;
  TestRun run(options(1), {dir.path(), false});
  run.go();
  ToyLearner learner;
  const SampleStore training = flat_store({0.2F, 0.4F, 0.6F, 0.8F, 1});
  const SampleStore none = flat_store({});
  const auto resume = [&](const SampleStore& store, const nlohmann::json& identity) {
    TrainingLoop loop(learner, options(2), store, none, {dir.path(), true}, identity);
    loop.run({});
  };
  expect_error(ErrorCode::kBadOption, {"run with lr 0.05", "this one has 0.1"}, [&] {
    resume(training, {{"method", "toy"}, {"lr", 0.1}});
  });
  expect_error(ErrorCode::kBadOption, {"method \"toy\"", "\"stfpm\""}, [&] {
    resume(training, {{"method", "stfpm"}, {"lr", 0.05}});
  });
  expect_error(ErrorCode::kBadOption, {"training images"}, [&] {
    resume(flat_store({0.2F, 0.4F, 0.6F, 0.8F, 0.9F}), kIdentity);
  });
  RunCheckpoint other = load_run_checkpoint(dir / "last.ckpt", kIdentity);
  other.tensors.at("weight") = at::zeros({2});
  save_run_checkpoint(dir / "last.ckpt", other);
  expect_error(ErrorCode::kBadFile, {"Tensor \"weight\"", "without --resume"},
               [&] { resume(training, kIdentity); });
  test::write_bytes(dir / "last.ckpt", "not a checkpoint");
  expect_error(ErrorCode::kBadFile, {"last.ckpt"}, [&] { resume(training, kIdentity); });
  std::filesystem::remove(dir / "last.ckpt");
  expect_error(ErrorCode::kNotFound, {"last.ckpt", "without --resume", "--run-dir"},
               [&] { resume(training, kIdentity); });
}

TEST(TrainingLoop, ACheckpointOfAnotherVersionIsRefused) {
  const TempDir dir;
  TestRun run(options(1), {dir.path(), false});
  run.go();
  std::string bytes = test::read_bytes(dir / "last.ckpt");
  const std::string now = "\\\"format\\\":1";
  const std::size_t at = bytes.find(now);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, now.size(), "\\\"format\\\":7");
  test::write_bytes(dir / "last.ckpt", bytes);
  expect_error(ErrorCode::kBadFile, {"its format is 7, expected 1"},
               [&] { (void)load_run_checkpoint(dir / "last.ckpt", kIdentity); });
}

std::filesystem::path event_file(const TempDir& dir) {
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) return entry.path();
  }
  return {};
}

TEST(Curves, AreReadBackFromTensorBoardsFileAndCsv) {
  const TempDir dir;
  LoopOptions how = options(2);
  how.best_by = "error";
  TestRun run(how, {dir.path(), false}, {0.5F});
  run.go();
  const auto events = test::read_events(event_file(dir));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_GT(events[0].wall_time, 1.7e9);
  const auto& points = run.loop.points();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(events[i + 1].step, points[i].step);
    EXPECT_FLOAT_EQ(events[i + 1].scalars.at("train/loss"),
                    static_cast<float>(points[i].training.at("loss")));
    EXPECT_FLOAT_EQ(events[i + 1].scalars.at("val/error"),
                    static_cast<float>(points[i].validation.at("error")));
    EXPECT_FLOAT_EQ(events[i + 1].scalars.at("learning_rate"), 0.05F);
  }
  const std::string csv = test::read_bytes(dir / "curves.csv");
  EXPECT_THAT(csv,
              HasSubstr("step,epoch,seconds,learning_rate,train_loss,train_share,val_error\n"));
  EXPECT_THAT(csv, HasSubstr("\n6,2.0000,"));
}

TEST(EventFile, CrcIsCastagnolis) { EXPECT_EQ(crc32c("123456789"), 0xE3069283U); }

TEST(EventFile, AFolderThatCannotBeMadeIsNamed) {
  const TempDir dir;
  test::write_bytes(dir / "file", "x");
  expect_error(ErrorCode::kFailed, {"Curves cannot be written", "--run-dir"},
               [&] { EventFile events(dir / "file" / "run"); });
}

FitContext context() {
  FitContext made;
  made.method = "toy";
  made.input = test::plain_input();
  return made;
}

TEST(GradientFitter, HoldsOutAFifthWhereNothingIsGivenToValidateOn) {
  LoopOptions how = options(1);
  how.batch_size = 1;
  how.best_by = "error";
  auto toy = std::make_unique<ToyLearner>();
  ToyLearner* const learner = toy.get();
  GradientFitter fitter(context(), LearnsFrom::kGood, how, std::move(toy));
  fitter.observe(test::flat_tiles({0, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F}));
  (void)fitter.finish({});
  EXPECT_EQ(learner->seen.size(), 5U);
  EXPECT_EQ(learner->validated, 2);
}

TEST(GradientFitter, LearnsFromTheImagesThatItIsMeantFor) {
  Tiles tiles = test::flat_tiles({0.2F, 0.4F, 0.6F});
  tiles.labels = at::tensor({0, 1, 0}, at::kLong);
  tiles.names = {"a", "b", "c"};
  const std::vector<std::pair<LearnsFrom, std::size_t>> expected{
      {LearnsFrom::kGood, 2}, {LearnsFrom::kAll, 3}, {LearnsFrom::kDefective, 1}};
  for (const auto& [from, count] : expected) {
    LoopOptions how = options(1);
    how.batch_size = 1;
    auto toy = std::make_unique<ToyLearner>();
    ToyLearner* const learner = toy.get();
    GradientFitter fitter(context(), from, how, std::move(toy));
    fitter.observe(tiles);
    (void)fitter.finish({});
    EXPECT_EQ(learner->seen.size(), count);
  }
}

TEST(GradientFitter, OneKindOfImagesAloneIsRefused) {
  Tiles good = test::flat_tiles({0.2F, 0.4F});
  good.labels = at::tensor({0, 0}, at::kLong);
  GradientFitter both(context(), LearnsFrom::kAll, options(1), std::make_unique<ToyLearner>());
  both.observe(good);
  expect_error(ErrorCode::kBadOption, {"toy", "all good", "--window", "masks"},
               [&] { return both.finish({}); });
  GradientFitter defects(context(), LearnsFrom::kDefective, options(1),
                         std::make_unique<ToyLearner>());
  defects.observe(good);
  expect_error(ErrorCode::kBadOption, {"toy", "masks to --data"},
               [&] { return defects.finish({}); });
}

TEST(GradientFitter, GoesOnAtAnotherRateButNotWithOtherWeights) {
  const TempDir dir;
  const auto go_on = [&](double rate, const std::string& weights, bool resume) {
    FitContext made = context();
    made.options = {{"lr", rate}, {"epochs", 2}};
    made.run = {dir.path(), resume};
    auto toy = std::make_unique<ToyLearner>();
    toy->weights = weights;
    GradientFitter fitter(made, LearnsFrom::kGood, options(1), std::move(toy));
    fitter.observe(test::flat_tiles({0.2F, 0.4F}));
    (void)fitter.finish({});
  };
  go_on(0.05, "abc", false);
  go_on(0.01, "abc", true);
  expect_error(ErrorCode::kBadOption, {"weights \"abc\"", "\"def\""},
               [&] { go_on(0.05, "def", true); });
}

TEST(GradientFitter, ForeseesItsMemory) {
  LoopOptions how = options(1);
  GradientFitter fitter(context(), LearnsFrom::kGood, how, std::make_unique<ToyLearner>());
  EXPECT_EQ(fitter.peak_bytes(10), 0);
  fitter.observe(test::flat_tiles({0.5F}));
  EXPECT_EQ(fitter.peak_bytes(10), 10 * 16 + 2 * 16);  // ten grey images and a step of two
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/training.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/frame_digest.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/tile_batcher.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;
using test::flat_image;
using test::FrameList;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Scores the distance of the red level (0…255) from the mean of those that were fitted.
class MeanModel final : public AnomalyModel {
 public:
  explicit MeanModel(double mean) : mean_(mean) {}
  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const at::Tensor map = (tiles.images.narrow(1, 0, 1) * 255 - mean_).abs();
    return {map, map.flatten(1).amax(1)};
  }
  void save(CheckpointWriter& out) const override {
    out.add("mean", at::full({1}, mean_, at::kFloat));
  }

 private:
  double mean_;
  ModelTraits traits_;
};

struct Observed {
  std::vector<std::vector<int>> fits;  // red level of every frame, for every fitter
  std::vector<std::int64_t> batches;
  std::vector<std::int64_t> windows;  // of a frame, in every batch
};

class MeanFitter final : public Fitter {
 public:
  explicit MeanFitter(Observed& observed) : observed_(observed) { observed_.fits.emplace_back(); }
  void observe(const Tiles& tiles) override {
    const at::Tensor& images = tiles.images;
    EXPECT_FALSE(tiles.keep.defined());
    observed_.batches.push_back(images.size(0));
    observed_.windows.push_back(tiles.windows);
    EXPECT_EQ(tiles.first_window, 0);  // these batches are too small to be cut
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const double level = images[i][0].mean().item<double>() * 255;
      observed_.fits.back().push_back(static_cast<int>(std::lround(level)));
    }
  }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override {
    control.progress(1, "mean");
    double sum = 0;
    for (const int level : observed_.fits.back()) sum += level;
    return std::make_unique<MeanModel>(sum / static_cast<double>(observed_.fits.back().size()));
  }

 private:
  Observed& observed_;
};

class Training : public ::testing::Test {
 protected:
  Training() {
    method_.name = "mean";
    method_.options = {{.name = "k", .type = OptionType::kInt, .default_value = 7}};
    method_.make_fitter = [this](const FitContext& context) {
      EXPECT_EQ(context.options.at("k"), 7);
      return std::make_unique<MeanFitter>(observed_);
    };
    request_.method = &method_;
    request_.preprocess.spec.resize = {8, 8};
    request_.preprocess.spec.mean = {0, 0, 0};
    request_.preprocess.spec.std = {1, 1, 1};
  }

  /// Frames with the levels 100, 101, …
  static FrameList frames(int count) {
    std::vector<test::ListedFrame> list;
    for (int i = 0; i < count; ++i) {
      list.push_back({flat_image(8, 8, static_cast<std::uint8_t>(100 + i)), "good", {}});
    }
    return FrameList(std::move(list));
  }

  Observed observed_;
  Method method_;
  TrainRequest request_;
};

/// Keeps what it was shown.
class Witness final : public Fitter {
 public:
  explicit Witness(bool asks) : asks_(asks) {}
  void observe(const Tiles& tiles) override { means_ = tiles.frame_means; }
  [[nodiscard]] bool reads_frame_means() const override { return asks_; }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl&) override { return nullptr; }
  [[nodiscard]] const at::Tensor& means() const { return means_; }

 private:
  bool asks_;
  at::Tensor means_;
};

TEST_F(Training, TheMeanOfTheFrameIsOnlyForMethodsThatAskForIt) {
  FrameList good = frames(1);
  const auto frame = good.next();
  const auto tiles = TilePreprocessor(request_.preprocess).cut(frame->view);
  for (const bool asks : {false, true}) {
    Witness fitter(asks);
    std::size_t seen = 0;
    TileBatcher(fitter, 1, seen).add(*frame, dynamic_cast<const TensorTiles&>(*tiles));
    EXPECT_EQ(fitter.means().defined(), asks);
    if (asks) EXPECT_NEAR(fitter.means()[0].item<double>(), 100 / 255.0, 1e-6);
  }
}

TEST_F(Training, HeldOutFramesAreNotFittedAndTheRefitSeesAll) {
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(observed_.fits.size(), 2U);
  EXPECT_EQ(observed_.fits[0].size(), 15U);  // 20 % would be 4; at least 5 are held out
  EXPECT_EQ(observed_.fits[1].size(), 20U);
  EXPECT_EQ(file.manifest.threshold_origin.images, 5);
  EXPECT_NEAR(file.tensors.at("mean").item<double>(), 109.5, 1e-4);
}

TEST_F(Training, ThresholdsFollowTheHeldOutScores) {
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  std::vector<double> scores;
  double fitted = 0;
  for (const int level : observed_.fits[0]) fitted += level / 15.0;
  for (int level = 100; level < 120; ++level) {
    if (std::ranges::find(observed_.fits[0], level) == observed_.fits[0].end()) {
      scores.push_back(std::abs(level - fitted));
    }
  }
  ASSERT_EQ(scores.size(), 5U);
  const ScoreScale expected = ScoreScale::from_good_scores(scores);
  const Thresholds& thresholds = file.manifest.thresholds;
  EXPECT_NEAR(thresholds.image.thr, expected.thr, 1e-3);
  EXPECT_NEAR(thresholds.map.thr, expected.thr, 1e-3);  // a flat map: its maximum is the score
  EXPECT_GT(thresholds.warn, thresholds.image.lo);
  EXPECT_LT(thresholds.warn, thresholds.image.thr);
  EXPECT_THAT(file.manifest.threshold_origin.rule, HasSubstr("mean + 3 sd"));
}

TEST_F(Training, CopiesOfOneImageGiveThresholdsThatSayNothingAndAreWarnedOf) {
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel, const std::string& line) { warnings.push_back(line); });
  FrameList good(std::vector<test::ListedFrame>(20, {flat_image(8, 8, 100), "good", {}}));
  static_cast<void>(train(good, request_));
  FrameList differing = frames(20);
  static_cast<void>(train(differing, request_));
  set_log_sink({});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("All 5 held-out good images have the score 0"));
}

TEST_F(Training, NoRefitKeepsTheFirstModel) {
  request_.refit = false;
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(observed_.fits.size(), 1U);
  double mean = 0;
  for (const int level : observed_.fits[0]) mean += level / 15.0;
  EXPECT_NEAR(file.tensors.at("mean").item<double>(), mean, 1e-4);
}

TEST_F(Training, FewFramesAreEachLeftOutOnce) {
  FrameList good = frames(4);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(observed_.fits.size(), 5U);
  EXPECT_THAT(observed_.fits[0], ElementsAre(101, 102, 103));
  EXPECT_THAT(observed_.fits[3], ElementsAre(100, 101, 102));
  EXPECT_THAT(observed_.fits[4], ElementsAre(100, 101, 102, 103));
  EXPECT_EQ(file.manifest.threshold_origin.images, 4);
}

TEST_F(Training, TheSameSeedGivesTheSameSplitAndAnotherSeedAnother) {
  EXPECT_EQ(held_out_indices(50, 0.2, false, 3), held_out_indices(50, 0.2, false, 3));
  EXPECT_NE(held_out_indices(50, 0.2, false, 3), held_out_indices(50, 0.2, false, 4));
  EXPECT_EQ(held_out_indices(50, 0.2, false, 3).size(), 10U);
}

TEST_F(Training, ConsecutiveFramesAreHeldOutInOneRun) {
  const auto held_out = held_out_indices(161, 0.2, true, 3);
  ASSERT_EQ(held_out.size(), 32U);
  EXPECT_EQ(held_out.back() - held_out.front(), 31U);
}

TEST_F(Training, FactsSayWhatWasTrainedOn) {
  FrameList good = frames(12);
  good.skip("broken.png", "it is cut off");
  const TrainingFacts facts = train(good, request_).manifest.training;
  EXPECT_EQ(facts.images, 12);
  EXPECT_EQ(facts.skipped, 1);
  EXPECT_EQ(facts.seed, 3U);
  EXPECT_EQ(facts.data_sha256.size(), 64U);
  EXPECT_EQ(facts.versions.at("uad"), UAD_VERSION);
  EXPECT_THAT(facts.created_utc, ::testing::MatchesRegex("....-..-..T..:..:..Z"));
}

TEST_F(Training, EveryFrameLeavesItsHashInTheModel) {
  FrameList good = frames(12);
  std::vector<std::int64_t> hashes;
  while (const auto frame = good.next()) hashes.push_back(short_hash(frame_sha256(frame->view)));
  EXPECT_EQ(train(good, request_).training_frames, hashes);
}

TEST_F(Training, TheDataHashFollowsThePixels) {
  FrameList good = frames(12);
  FrameList same = frames(12);
  FrameList other = frames(13);
  const std::string hash = train(good, request_).manifest.training.data_sha256;
  EXPECT_EQ(train(same, request_).manifest.training.data_sha256, hash);
  EXPECT_NE(train(other, request_).manifest.training.data_sha256, hash);
}

TEST_F(Training, SelfTestScoresAreThoseOfTheFinalModel) {
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(file.self_test_frames.size(), 4U);
  ASSERT_EQ(file.manifest.self_test.scores.size(), 4U);
  for (std::size_t i = 1; i < 4; ++i) {  // the real ones are flat
    const double level = file.self_test_frames[i].pixels[0];
    EXPECT_NEAR(file.manifest.self_test.scores[i], std::abs(level - 109.5), 1e-3);
  }
}

TEST_F(Training, NoImagesInModelLeavesOnlyTheProceduralFrame) {
  request_.images_in_model = false;
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  EXPECT_EQ(file.self_test_frames.size(), 1U);
  EXPECT_EQ(file.manifest.self_test.scores.size(), 1U);
}

TEST_F(Training, BatchesHoldAsManyFramesAsAskedFor) {
  request_.batch_size = 4;
  request_.refit = false;
  FrameList good = frames(20);
  (void)train(good, request_);
  EXPECT_THAT(observed_.batches, ElementsAre(4, 4, 4, 3));
}

TEST_F(Training, BatchesKnowTheWindowsOfTheirFrames) {
  request_.preprocess.spec.window = {4, 8};
  request_.preprocess.spec.stride = {2, 8};
  request_.batch_size = 5;
  FrameList good = frames(20);
  static_cast<void>(train(good, request_));
  EXPECT_THAT(observed_.batches, ::testing::Each(15));  // 5 frames of 3 windows; 15 and 20 frames
  EXPECT_THAT(observed_.windows, ::testing::Each(3));
}

TEST_F(Training, OneFrameIsNotEnough) {
  FrameList good = frames(1);
  expect_error(ErrorCode::kBadOption, {"at least 2 good images", "found 1"},
               [&] { return train(good, request_); });
}

TEST_F(Training, OnlyUnreadableFramesNameTheFirstReason) {
  FrameList good = frames(0);
  good.skip("broken.png", "it is cut off");
  expect_error(ErrorCode::kBadOption, {"Not one of the 1", "broken.png", "it is cut off"},
               [&] { return train(good, request_); });
}

TEST_F(Training, AStopRequestEndsItSoon) {
  std::stop_source stop;
  stop.request_stop();
  request_.control.cancel = stop.get_token();
  FrameList good = frames(20);
  expect_error(ErrorCode::kCancelled, {"cancelled"}, [&] { return train(good, request_); });
}

TEST_F(Training, EnoughEndsItWithTheModelOfWhatWasSeen) {
  std::stop_source enough;
  request_.control.enough = enough.get_token();
  int frames_seen = 0;
  request_.control.progress = [&](double, const std::string& stage) {
    if (stage == "features" && ++frames_seen == 8) enough.request_stop();
  };
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(observed_.fits.size(), 1U) << "no refit";
  EXPECT_EQ(observed_.fits[0].size(), 10U) << "of 15; fewer would be no model";
  EXPECT_EQ(file.manifest.training.images, std::ssize(observed_.fits[0]));
  EXPECT_EQ(file.manifest.threshold_origin.images, 5) << "thresholds are never left out";
}

TEST_F(Training, EnoughInTheRefitGivesNoLessThanTheFitBefore) {
  std::stop_source enough;
  request_.control.enough = enough.get_token();
  request_.control.progress = [&](double fraction, const std::string&) {
    if (fraction > 0.51) enough.request_stop();
  };
  FrameList good = frames(20);
  const ModelFile file = train(good, request_);
  ASSERT_EQ(observed_.fits.size(), 2U);
  EXPECT_EQ(observed_.fits[1].size(), 15U);
  EXPECT_EQ(file.manifest.training.images, 15);
  EXPECT_NE(to_json_text(file.manifest).find("then refitted on more"), std::string::npos);
}

TEST_F(Training, ACancelledOneGoesOnWhereItEnded) {
  FrameList good = frames(20);
  const ModelFile expected = train(good, request_);
  const auto all = observed_.fits;
  for (const double at : {0.2, 0.44, 0.47, 0.7}) {
    observed_.fits.clear();
    PausedTraining paused;
    TrainRequest request = request_;
    request.paused = &paused;
    std::stop_source cancel;
    request.control.cancel = cancel.get_token();
    request.control.progress = [&](double fraction, const std::string&) {
      if (fraction >= at) cancel.request_stop();
    };
    expect_error(ErrorCode::kCancelled, {"cancelled"}, [&] { return train(good, request); });
    request.control = request_.control;
    const ModelFile resumed = train(good, request);
    EXPECT_EQ(observed_.fits, all) << "no frame was read twice, none left out; at " << at;
    EXPECT_TRUE(at::equal(resumed.tensors.at("mean"), expected.tensors.at("mean"))) << at;
    EXPECT_EQ(resumed.manifest.thresholds, expected.manifest.thresholds) << at;
  }
}

TEST_F(Training, APausedOneOfOtherFramesBeginsAnew) {
  PausedTraining paused;
  request_.paused = &paused;
  std::stop_source cancel;
  request_.control.cancel = cancel.get_token();
  request_.control.progress = [&](double fraction, const std::string&) {
    if (fraction > 0.3) cancel.request_stop();
  };
  FrameList few = frames(20);
  expect_error(ErrorCode::kCancelled, {"cancelled"}, [&] { return train(few, request_); });
  observed_.fits.clear();
  request_.control = {};
  FrameList more = frames(30);
  static_cast<void>(train(more, request_));
  EXPECT_EQ(observed_.fits.front().size(), 24U);
}

TEST_F(Training, GoesOnFromAModel) {
  method_.make_fitter = [this](const FitContext& context) {
    EXPECT_TRUE(context.start);
    return std::make_unique<MeanFitter>(observed_);
  };
  Continuation start{std::make_shared<MeanModel>(1.0), {}, {}, std::string(64, 'c')};
  start.manifest.training.images = 100;
  start.manifest.backbone = {"resnet18", std::string(64, 'b')};
  request_.start = start;
  FrameList good = frames(20);
  const Manifest manifest = train(good, request_).manifest;
  EXPECT_EQ(manifest.training.images, 120);
  EXPECT_EQ(manifest.training.continued_from, std::string(64, 'c'));
  EXPECT_EQ(manifest.backbone, start.manifest.backbone);
}

TEST_F(Training, SensitivityAndThresholdsComeFromDifferentFrames) {
  request_.learn_sensitivity = true;
  request_.holdout = 0.25;
  FrameList good = frames(40);
  const ModelFile file = train(good, request_);
  EXPECT_EQ(file.manifest.threshold_origin.images, 5) << "of 10 held out";
  EXPECT_EQ(file.sensitivity.width, 8);
  EXPECT_EQ(file.sensitivity.values, std::vector<float>(64, 1.0F)) << "flat maps";
  EXPECT_EQ(file.manifest.training.images, 40);
}

TEST_F(Training, SensitivityFromTooFewFramesIsRefused) {
  request_.learn_sensitivity = true;
  FrameList good = frames(30);
  expect_error(ErrorCode::kBadOption, {"at least 10 held-out", "6 are held out", "holdout"},
               [&] { return train(good, request_); });
}

TEST_F(Training, APromiseSpeaksOfTheVeryModelThatWasScored) {
  request_.promise = PromiseTarget{0.2, 0.9};
  FrameList good = frames(60);
  const ModelFile file = train(good, request_);
  EXPECT_EQ(observed_.fits.size(), 1U);  // no refit
  const nlohmann::json& facts = file.manifest.threshold_origin.facts;
  EXPECT_EQ(facts["promise"]["samples"], 12);
  EXPECT_EQ(facts["promise"]["needed"], 11);
  EXPECT_EQ(facts["held_out"], "12 of 60 images, seed 3");
  double fitted = 0;
  for (const int level : observed_.fits[0]) fitted += level / 48.0;
  double largest = 0;
  for (int level = 100; level < 160; ++level) {
    const bool seen = std::ranges::find(observed_.fits[0], level) != observed_.fits[0].end();
    if (!seen) largest = std::max(largest, std::abs(level - fitted));
  }
  EXPECT_NEAR(file.manifest.thresholds.image.thr, largest, 1e-3);
}

TEST_F(Training, FramesOfOnePartAreNeverSplit) {
  request_.parts = {PartRule::Kind::kRun, 3};
  request_.promise = PromiseTarget{};
  FrameList good = frames(60);
  const ModelFile file = train(good, request_);
  const std::vector<int>& fitted = observed_.fits[0];
  ASSERT_EQ(fitted.size(), 45U);  // 5 of 20 parts are held out
  for (int part = 0; part < 20; ++part) {
    const auto seen = [&](int i) {
      return std::ranges::find(fitted, 100 + 3 * part + i) != fitted.end();
    };
    EXPECT_EQ(seen(0), seen(1));
    EXPECT_EQ(seen(0), seen(2));
  }
  EXPECT_EQ(file.manifest.threshold_origin.images, 5);
  EXPECT_THAT(file.manifest.threshold_origin.facts["held_out"].get<std::string>(),
              HasSubstr("5 of 20 parts"));
}

TEST_F(Training, APromiseNeedsHeldOutFramesAndASaneRate) {
  request_.promise = PromiseTarget{};
  FrameList few = frames(9);
  expect_error(ErrorCode::kBadOption, {"at least 10 good images", "found 9"},
               [&] { return train(few, request_); });
  request_.promise->rate = 1;
  FrameList good = frames(20);
  expect_error(ErrorCode::kBadOption, {"false-reject-rate"}, [&] { return train(good, request_); });
  EXPECT_TRUE(observed_.fits.empty());
}

TEST_F(Training, HoldoutOutsideItsRangeIsRefused) {
  request_.holdout = 1.0;
  FrameList good = frames(20);
  expect_error(ErrorCode::kBadOption, {"holdout", "below 1"},
               [&] { return train(good, request_); });
}

TEST_F(Training, ProgressNeverFallsAndNamesItsStages) {
  std::vector<double> fractions;
  std::vector<std::string> stages;
  request_.control.progress = [&](double fraction, const std::string& stage) {
    fractions.push_back(fraction);
    stages.push_back(stage);
  };
  FrameList good = frames(12);
  (void)train(good, request_);
  EXPECT_TRUE(std::ranges::is_sorted(fractions));
  EXPECT_THAT(stages, ::testing::IsSupersetOf({"reading", "features", "mean", "held-out frames"}));
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/evaluation.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/calibration/calibration.h"
#include "core/data/dataset.h"
#include "core/data/image_io.h"
#include "core/data/image_source.h"
#include "core/frame_digest.h"
#include "tests/core/eval/red_model.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::expect_error;
using test::flat_image;
using test::FrameList;
using test::ListedFrame;
using test::mask_of;
using test::picture;
using test::RedModel;
using ::testing::HasSubstr;

/// Example D of the evaluation specification: 4x5 images, 36 negative pixels, 2 components.
std::vector<ListedFrame> example_d() {
  const std::vector<int> first{90, 80, 30, 10, 10, 70, 60, 20, 10, 10,
                               10, 10, 10, 20, 50, 10, 10, 10, 10, 20};
  const std::vector<int> truth{1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
  std::vector<int> second(20, 10);
  second[6] = 65;
  second[12] = 40;
  return {{picture(5, first), "dent", mask_of(5, truth)}, {picture(5, second), "good", {}}};
}

class Evaluating : public ::testing::Test {
 protected:
  Evaluation run(FrameSource& source, const EvaluationOptions& options = {}) {
    return test::evaluate_red(model_, source, options);
  }
  RedModel model_;
};

TEST_F(Evaluating, ReproducesTheWorkedExample) {
  FrameList source(example_d());
  const Evaluation result = run(source);
  EXPECT_NEAR(result.pixels.auroc, 0.9861111111, 1e-9);
  EXPECT_NEAR(result.pixels.average_precision, 0.9166666667, 1e-9);
  EXPECT_NEAR(result.pixels.aupro, 0.9074074074, 1e-9);
  EXPECT_NEAR(result.pixels.f1.f1, 0.8571428571, 1e-9);
  EXPECT_TRUE(result.pixels.exact);
  EXPECT_EQ(result.pixels.components, 2);
  EXPECT_EQ(result.image_auroc, 1);
  EXPECT_EQ(source.rewinds(), 1);
  const nlohmann::json json = to_json(result);
  EXPECT_TRUE(json["undefined"].empty());
  EXPECT_EQ(json["counts"]["kinds"], (nlohmann::json{{"dent", 1}, {"good", 1}}));
}

TEST_F(Evaluating, ProbabilityMapsAreJudgedAtFixedThresholds) {
  for (const std::int64_t exact_pixels : {1000, 30}) {  // whether one pass or two
    FrameList source(example_d());
    const RedModel model("tiny-unet");
    const Evaluation result = test::evaluate_red(model, source, {.exact_pixels = exact_pixels});
    const nlohmann::json at_half = to_json(result).at("segmentation").at(3);
    EXPECT_EQ(at_half.at("threshold"), 0.5);
    EXPECT_NEAR(at_half.at("iou").get<double>(), 3.0 / 5, 1e-6);
    EXPECT_NEAR(at_half.at("dice").get<double>(), 6.0 / 8, 1e-5);
    EXPECT_NEAR(at_half.at("dice_all").get<double>(), 3.0 / 8, 1e-5);
    EXPECT_EQ(at_half.at("fp"), 1);
    EXPECT_EQ(to_json(result).at("segmentation").at(4).at("tnr"), 1);
  }
  FrameList source(example_d());
  EXPECT_FALSE(to_json(run(source)).contains("segmentation"));
}

TEST_F(Evaluating, ManyPixelsAreCountedInASecondPass) {
  FrameList source(example_d());
  const Evaluation result = run(source, {.exact_pixels = 30});
  EXPECT_FALSE(result.pixels.exact);
  EXPECT_EQ(source.rewinds(), 2);
  EXPECT_NEAR(result.pixels.auroc, 0.9861111111, 1e-5);
  EXPECT_NEAR(result.pixels.aupro, 0.9074074074, 1e-5);
  EXPECT_EQ(result.frames.size(), 2U);
}

/// The hash that a model keeps of a picture it has learnt.
std::int64_t hash_of(const Image& image) { return short_hash(frame_sha256(view(image))); }

TEST_F(Evaluating, CopiesOfTrainingImagesAreLeftOutUnderAnyName) {
  const test::TempDir dir;
  const auto put = [&](const std::string& name, const Image& image) {
    std::filesystem::create_directories((dir / name).parent_path());
    write_png(dir / name, image);
  };
  const Image learnt = picture(2, {10, 20, 30, 40});
  put("train/good/000.png", learnt);
  put("test/good/copy_of_000.png", learnt);
  put("test/good/other.png", picture(2, {10, 20, 30, 50}));
  put("test/dent/same.png", learnt);
  put("test/dent/unseen.png", picture(2, {10, 20, 30, 90}));
  const auto source = open_images(list_dataset(dir.path()).test);
  model_.training_frames_ = {7, hash_of(learnt)};
  const Evaluation result = run(*source);
  EXPECT_EQ(result.left_out_seen, 2U);
  ASSERT_EQ(result.seen.size(), 2U);
  EXPECT_THAT(result.seen[0], HasSubstr("dent/same.png"));
  EXPECT_EQ(result.frames.size(), 2U);
  EXPECT_EQ(result.missing_masks, 1U);
  EXPECT_EQ(to_json(result)["counts"]["left_out_seen"], 2);
  const Evaluation all = run(*source, {.seen_too = true});
  EXPECT_EQ(all.frames.size(), 4U);
  EXPECT_EQ(all.seen.size(), 2U);
  EXPECT_EQ(all.left_out_seen, 0U);
}

TEST_F(Evaluating, WhatIsLeftOutLeavesThePixelsOfBothPasses) {
  auto frames = example_d();
  frames.insert(frames.begin(), {picture(5, std::vector<int>(20, 99)), "good", {}});
  FrameList source(frames);
  model_.training_frames_ = {hash_of(frames[0].image)};
  const Evaluation result = run(source, {.exact_pixels = 30});
  EXPECT_EQ(source.rewinds(), 2);
  EXPECT_EQ(result.pixels.pixels, 40);
  EXPECT_NEAR(result.pixels.auroc, 0.9861111111, 1e-5);
}

TEST_F(Evaluating, NothingButSeenFramesIsAnError) {
  FrameList source({{picture(2, {10, 20}), "good", {}}});
  model_.training_frames_ = {hash_of(picture(2, {10, 20}))};
  expect_error(ErrorCode::kBadOption, {"All 1 test images", "trained on", "--seen-too"},
               [&] { return run(source); });
}

TEST_F(Evaluating, TheModelsOwnThresholdHasItsOwnConfusion) {
  FrameList source(example_d());
  const Evaluation result = run(source);  // scores 0.9 (dent) and 0.65 (good), reject 0.5
  EXPECT_EQ(result.at_reject.tp, 1);
  EXPECT_EQ(result.at_reject.fp, 1);
  EXPECT_EQ(result.at_f1.fp, 0);
  const nlohmann::json said = to_json(result)["classification"];
  EXPECT_EQ(said["rows_true_columns_predicted"], nlohmann::json::parse("[[0, 1], [0, 1]]"));
  EXPECT_EQ(said["positive_is_anomaly"]["fp"], 1);
  EXPECT_EQ(said["positive_is_good"]["fn"], 1);
  EXPECT_EQ(said["balanced_accuracy"], 0.5);
}

TEST_F(Evaluating, BoxesAreHeldAgainstMasks) {
  FrameList source(example_d());
  const nlohmann::json boxes = to_json(run(source))["boxes"];
  EXPECT_EQ(boxes["defects"], 1);
  EXPECT_EQ(boxes["hit_share"], 1);
  EXPECT_EQ(boxes["mean_iou"], 4.0 / 15);  // 2x2 pixels of the labelled 5x3
  EXPECT_TRUE(to_json(run(source, {.pixels = false}))["boxes"]["mean_iou"].is_null());
}

TEST_F(Evaluating, EveryKindHasItsOwnRow) {
  auto frames = example_d();  // dent 0.9, good 0.65
  frames.push_back({picture(5, std::vector<int>(20, 45)), "crack", {}});
  frames.push_back({picture(5, std::vector<int>(20, 20)), "crack", {}});
  frames.push_back({picture(5, std::vector<int>(20, 10)), "good", {}});
  FrameList source(frames);
  const Evaluation result = run(source);
  const auto kinds = results_by_kind(result.frames, result.manifest.thresholds);
  ASSERT_EQ(kinds.size(), 3U);
  EXPECT_EQ(kinds[0].kind, "good");
  EXPECT_TRUE(std::isnan(kinds[0].auroc));
  EXPECT_EQ(kinds[0].rejected, 1);
  EXPECT_EQ(kinds[1].kind, "crack");
  EXPECT_EQ(kinds[1].rejected, 0);
  EXPECT_EQ(kinds[1].warned, 1);
  EXPECT_EQ(kinds[1].passed(), 1);
  EXPECT_EQ(kinds[1].auroc, 0.5);  // 0.45 and 0.2 against 0.65 and 0.1
  EXPECT_EQ(kinds[2].auroc, 1);
  EXPECT_EQ(to_json(result)["kinds"][1]["warned"], 1);
}

TEST_F(Evaluating, TheFingerprintTellsOtherPicturesApart) {
  FrameList source(example_d());
  FrameList again(example_d());
  auto frames = example_d();
  frames[1].image.pixels[0] ^= 1;
  FrameList other(frames);
  const std::string fingerprint = run(source).test_sha256;
  EXPECT_EQ(run(again).test_sha256, fingerprint);
  EXPECT_NE(run(other).test_sha256, fingerprint);
}

TEST_F(Evaluating, EveryFrameIsVisitedOnceInBothWays) {
  for (const std::int64_t exact_pixels : {std::int64_t{1000}, std::int64_t{30}}) {
    std::vector<std::string> seen;
    FrameList source(example_d());
    (void)run(source, {.exact_pixels = exact_pixels,
                       .visit = [&](const LabelledFrame& frame, const ModelOutput& output) {
                         seen.push_back(frame.name);
                         EXPECT_EQ(output.map.width, 5);
                       }});
    EXPECT_THAT(seen, ::testing::ElementsAre("frame0", "frame1"));
  }
}

TEST_F(Evaluating, OneClassLeavesImageMetricsUndefined) {
  FrameList source({{picture(2, {10, 20, 30, 40}), "good", {}}});
  const nlohmann::json json = to_json(run(source));
  for (const char* key : {"image_auroc", "image_ap", "image_f1", "image_threshold", "pixel_auroc",
                          "pixel_ap", "pixel_f1", "pixel_pro"}) {
    EXPECT_TRUE(json[key].is_null()) << key;
    EXPECT_THAT(json["undefined"][key].get<std::string>(), HasSubstr("no defective image")) << key;
  }
}

TEST_F(Evaluating, FramesWithoutMaskLeaveThePixelMetricsOnly) {
  auto frames = example_d();
  frames.push_back({picture(5, std::vector<int>(20, 90)), "dent", {}});
  FrameList source(frames);
  const Evaluation result = run(source);
  EXPECT_EQ(result.frames.size(), 3U);
  EXPECT_EQ(result.missing_masks, 1U);
  EXPECT_EQ(result.pixels.pixels, 40);
  EXPECT_NEAR(result.pixels.auroc, 0.9861111111, 1e-9);
}

TEST_F(Evaluating, NoMaskAtAllSaysSo) {
  auto frames = example_d();
  frames[0].mask.reset();
  FrameList source(frames);
  const nlohmann::json json = to_json(run(source));
  EXPECT_EQ(json["image_auroc"], 1);
  EXPECT_TRUE(json["pixel_auroc"].is_null());
  EXPECT_THAT(json["undefined"]["pixel_auroc"].get<std::string>(), HasSubstr("mask"));
}

TEST_F(Evaluating, AnEmptySetIsAnError) {
  FrameList empty({});
  expect_error(ErrorCode::kBadOption, {"empty", "--data"}, [&] { return run(empty); });
}

TEST(MaskOnMap, TakesTheFramesRoute) {
  Image mask = flat_image(8, 8, 0, 1);
  mask.pixels[2 * 8 + 4] = 7;  // any value above 0 is a defect
  InputSpec spec;
  spec.roi = {2, 0, 4, 4};
  spec.resize = {8, 8};
  spec.crop = {4, 8};
  const Image result = mask_on_map(mask, {}, plan_tiles({8, 8}, spec));
  ASSERT_EQ(result.width, 4);
  ASSERT_EQ(result.height, 8);
  // Column 4 of the frame is 2 in the ROI, 4 and 5 after the resize, 2 and 3 after the crop.
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 4; ++x) {
      const bool inside = (y == 4 || y == 5) && x >= 2;
      EXPECT_EQ(result.pixels[static_cast<std::size_t>(y * 4 + x)], inside ? 255 : 0);
    }
  }
}

TEST(MaskOnMap, WhatTheModelIgnoresIsNoDefect) {
  InputSpec spec;
  spec.resize = {};
  Image ignore = flat_image(4, 1, 255, 1);
  ignore.pixels[0] = 0;
  const Image result = mask_on_map(flat_image(4, 1, 255, 1), ignore, plan_tiles({4, 1}, spec));
  EXPECT_THAT(result.pixels, ::testing::ElementsAre(0, 255, 255, 255));
}

TEST_F(Evaluating, LabelledSetsGiveTheF1OptimalThreshold) {
  FrameList source(example_d());
  const Calibration good = calibrate_on_good({0.1, 0.2, 0.3}, {0.1, 0.2, 0.3}, "three of four");
  const Calibration labelled = calibrate_on_labelled(run(source), good);
  const Thresholds& thresholds = labelled.thresholds;
  EXPECT_NEAR(thresholds.image.thr, 0.9, 0.01);
  EXPECT_NEAR(thresholds.map.thr, 0.7, 0.01);
  EXPECT_LT(thresholds.image.lo, thresholds.image.thr);
  EXPECT_GT(thresholds.image.hi, thresholds.image.thr);
  EXPECT_LE(thresholds.warn, thresholds.image.thr);
  EXPECT_EQ(labelled.origin.images, 2);
}

TEST_F(Evaluating, OneClassCannotCalibrate) {
  FrameList source({{picture(2, {10, 20, 30, 40}), "good", {}}});
  const Evaluation result = run(source);
  expect_error(ErrorCode::kBadOption, {"good and defective"},
               [&] { return calibrate_on_labelled(result, {}); });
}

TEST_F(Evaluating, WithoutPixelsThereIsOnePassAndAReason) {
  FrameList source(example_d());
  const Evaluation result = run(source, {.pixels = false, .exact_pixels = 20});
  EXPECT_EQ(source.rewinds(), 1);
  EXPECT_EQ(result.image_auroc, 1);
  EXPECT_EQ(result.undefined.at("pixel_auroc"), "pixels were not asked for");
}

/// Defects score 0.5, 0.7, 0.7, 0.9, good ones 0.2, 0.6.
std::vector<ListedFrame> overlapping() {
  std::vector<ListedFrame> frames;
  for (const int score : {50, 70, 70, 90}) {
    frames.push_back({picture(2, {score, 10}), "dent", mask_of(2, {1, 0})});
  }
  for (const int score : {20, 60}) frames.push_back({picture(2, {score, 10}), "good", {}});
  return frames;
}

TEST_F(Evaluating, RecallGivesTheHighestThresholdThatReachesIt) {
  FrameList source(overlapping());
  const Evaluation result = run(source);
  const auto at = [&](double recall) { return calibrate_to_recall(result, recall, {}); };
  EXPECT_NEAR(at(1.0).thresholds.image.thr, 0.5, 0.01);
  EXPECT_NEAR(at(0.76).thresholds.image.thr, 0.5, 0.01);  // 3 of 4 would be too few
  EXPECT_NEAR(at(0.75).thresholds.image.thr, 0.7, 0.01);
  EXPECT_NEAR(at(0.3).thresholds.image.thr, 0.7, 0.01);
  EXPECT_NEAR(at(0.25).thresholds.image.thr, 0.9, 0.01);
  const Calibration all = at(1.0);
  EXPECT_EQ(all.origin.facts["recall"], 1);
  EXPECT_EQ(all.origin.facts["false_rejects"], 1);
  EXPECT_THAT(all.origin.rule, HasSubstr("at least 100 % of the defects"));
  for (const ScoredFrame& frame : result.frames) {
    EXPECT_EQ(judge(frame.score, all.thresholds) == Verdict::kReject, frame.score >= 0.49F);
  }
  for (const double bad : {0.0, 1.1, std::nan("")}) {
    expect_error(ErrorCode::kBadOption, {"recall", "above 0"}, [&] { return at(bad); });
  }
}

TEST_F(Evaluating, RecallNeedsBothClasses) {
  FrameList good({{picture(2, {20, 10}), "good", {}}});
  const Evaluation result = run(good);
  expect_error(ErrorCode::kBadOption, {"good and defective", "1 good and 0 defective"},
               [&] { return calibrate_to_recall(result, 0.9, {}); });
}

GoodSamples ladder_samples(int count) {
  GoodSamples samples;
  for (int i = 1; i <= count; ++i) {
    samples.scores.push_back(static_cast<float>(i));
    samples.map_maxima.push_back(static_cast<float>(10 * i));
  }
  samples.frames = samples.scores.size();
  return samples;
}

TEST(CalibrateByPromise, DerivesEveryThresholdFromOrderStatistics) {
  const Calibration result = calibrate_by_promise(ladder_samples(124), {0.05, 0.95});
  const Thresholds& thresholds = result.thresholds;
  EXPECT_EQ(thresholds.image.thr, std::nextafter(122.0F, 200.0F));
  EXPECT_EQ(thresholds.map.thr, std::nextafter(1220.0F, 2000.0F));
  EXPECT_LT(thresholds.warn, thresholds.image.thr);
  EXPECT_GT(thresholds.warn, 0.8 * 124);  // at most 20 % are warned of
  EXPECT_EQ(judge(122, thresholds), Verdict::kWarn);
  EXPECT_EQ(judge(123, thresholds), Verdict::kReject);
  const nlohmann::json& facts = result.origin.facts;
  EXPECT_EQ(facts["promise"]["order"], 3);
  EXPECT_EQ(facts["promise"]["needed"], 59);
  EXPECT_EQ(facts["naive"]["maximum"], 124);
  EXPECT_TRUE(facts["estimate"]["threshold"].is_number());
  EXPECT_EQ(result.origin.images, 124);
}

TEST(CalibrateByPromise, TooFewSamplesStillLeaveWarnBelowReject) {
  const Calibration few = calibrate_by_promise(ladder_samples(40), {1e-3, 0.95});
  EXPECT_EQ(few.thresholds.image.thr, std::nextafter(40.0F, 50.0F));
  EXPECT_LT(few.thresholds.warn, 38);
  EXPECT_NEAR(few.origin.facts["promise"]["rate"].get<double>(), 1 - std::pow(0.05, 1 / 40.0),
              1e-9);
}

TEST(CalibrateByPromise, ScalesStayInOrderForAnyScores) {
  for (const PromiseTarget& target : {PromiseTarget{0.999, 0.1}, PromiseTarget{1e-3, 0.95}}) {
    for (const std::vector<float>& scores :
         {std::vector<float>{0}, std::vector<float>(50, 7), std::vector<float>{-5, -4, -3},
          std::vector<float>{1e-30F, 1e30F}}) {
      const GoodSamples samples{.scores = scores, .map_maxima = scores};
      const Thresholds thresholds = calibrate_by_promise(samples, target).thresholds;
      EXPECT_LT(thresholds.image.lo, thresholds.image.thr);
      EXPECT_LT(thresholds.image.thr, thresholds.image.hi);
      EXPECT_LT(thresholds.map.lo, thresholds.map.thr);
      EXPECT_LE(thresholds.warn, thresholds.image.thr);
    }
  }
}

TEST(CalibrateOnGood, WarnsBelowReject) {
  const Calibration result = calibrate_on_good({1, 2, 3}, {5, 6, 7}, "all");
  const double sd = std::sqrt(2.0 / 3.0);
  EXPECT_NEAR(result.thresholds.image.thr, 2 + 3 * sd, 1e-9);
  EXPECT_NEAR(result.thresholds.warn, 2 + 2 * sd, 1e-9);
  EXPECT_NEAR(result.thresholds.map.thr, 6 + 3 * sd, 1e-9);
  EXPECT_EQ(result.origin.facts["image_score"]["mean"], 2);
}

}  // namespace
}  // namespace uad

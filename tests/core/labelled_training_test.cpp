// SPDX-License-Identifier: LGPL-2.1-or-later
// Training of methods that learn by gradient, and of those that need labels or masks.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/frame_digest.h"
#include "core/training.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;
using test::flat_image;
using test::FrameList;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Says that the red level (0 … 1) is the probability of a defect.
class ProbabilityModel final : public AnomalyModel {
 public:
  explicit ProbabilityModel(bool probability) {
    traits_.probability = probability;
    traits_.map_threshold = 0.7;
  }
  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const at::Tensor map = tiles.images.narrow(1, 0, 1).contiguous();
    return {map, map.flatten(1).amax(1)};
  }
  void save(CheckpointWriter& out) const override { out.add("nothing", at::zeros({1})); }

 private:
  ModelTraits traits_;
};

struct Seen {
  int fitters = 0;
  std::vector<int> learnt;     // red level of every tile
  std::vector<int> validated;  // the same
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> defect_pixels;  // of the mask of every tile
  std::vector<std::string> names;
};

class Recorder final : public Fitter {
 public:
  Recorder(Seen& seen, bool probability) : seen_(seen), probability_(probability) {
    ++seen_.fitters;
  }
  void observe(const Tiles& tiles) override {
    record(tiles, seen_.learnt);
    seen_.names.insert(seen_.names.end(), tiles.names.begin(), tiles.names.end());
    if (!tiles.labels.defined()) return;
    for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
      seen_.labels.push_back(tiles.labels[i].item<std::int64_t>());
      if (!tiles.masks.defined()) continue;
      seen_.defect_pixels.push_back(tiles.masks[i].sum().item<std::int64_t>());
    }
  }
  void validate(const Tiles& tiles) override { record(tiles, seen_.validated); }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl&) override {
    return std::make_unique<ProbabilityModel>(probability_);
  }

 private:
  static void record(const Tiles& tiles, std::vector<int>& levels) {
    for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
      levels.push_back(
          static_cast<int>(std::lround(tiles.images[i][0].mean().item<double>() * 255)));
    }
  }
  Seen& seen_;
  bool probability_;
};

class LabelledTraining : public ::testing::Test {
 protected:
  LabelledTraining() {
    method_.name = "recorder";
    method_.by_gradient = true;
    method_.make_fitter = [this](const FitContext&) {
      return std::make_unique<Recorder>(seen_, method_.needs != Needs::kGood);
    };
    request_.method = &method_;
    request_.preprocess.spec.resize = {8, 8};
    request_.preprocess.spec.mean = {0, 0, 0};
    request_.preprocess.spec.std = {1, 1, 1};
  }

  /// Levels 100, 101 … are good; 200, 201 … show a dent, with a mask of 8 pixels if `masks`.
  static FrameList frames(int good, int dents, bool masks = true) {
    std::vector<test::ListedFrame> list;
    for (int i = 0; i < good; ++i) {
      list.push_back({flat_image(8, 8, static_cast<std::uint8_t>(100 + i)), "good", {}});
    }
    for (int i = 0; i < dents; ++i) {
      Image mask = flat_image(8, 8, 0, 1);
      std::fill_n(mask.pixels.begin(), 8, std::uint8_t{255});
      list.push_back({flat_image(8, 8, static_cast<std::uint8_t>(200 + i)), "dent",
                      masks ? std::optional(mask) : std::nullopt});
    }
    return FrameList(std::move(list));
  }

  Seen seen_;
  Method method_;
  TrainRequest request_;
};

TEST_F(LabelledTraining, AGradientMethodIsFittedOnceAndShownTheHeldOutFrames) {
  FrameList good = frames(20, 0);
  const ModelFile file = train(good, request_);
  EXPECT_EQ(seen_.fitters, 1);
  EXPECT_EQ(seen_.learnt.size(), 15U);
  EXPECT_EQ(seen_.validated.size(), 5U);
  for (const int level : seen_.validated) {
    EXPECT_EQ(std::ranges::count(seen_.learnt, level), 0) << level;
  }
  EXPECT_EQ(file.manifest.threshold_origin.images, 5);
  EXPECT_EQ(file.training_frames.size(), 20U);
}

TEST_F(LabelledTraining, OfSeveralProductsAShareOfEachIsHeldOut) {
  std::vector<test::ListedFrame> list;
  const auto add = [&](const char* product, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      list.push_back(
          {flat_image(8, 8, static_cast<std::uint8_t>(i)), "good", std::nullopt, product});
    }
  };
  add("many", 0, 60);
  add("few", 100, 5);
  add("single", 200, 1);
  const auto of = [](const std::vector<int>& levels, int first) {
    return std::ranges::count_if(levels, [&](int l) { return l >= first && l < first + 100; });
  };
  for (request_.seed = 0; request_.seed < 20; ++request_.seed) {
    seen_ = {};
    FrameList products(list);
    (void)train(products, request_);
    EXPECT_EQ(of(seen_.validated, 0), 12);
    EXPECT_EQ(of(seen_.validated, 100), 1);
    EXPECT_EQ(of(seen_.validated, 200), 0);
    EXPECT_EQ(of(seen_.learnt, 0), 48);
    EXPECT_EQ(of(seen_.learnt, 100), 4);
    EXPECT_EQ(of(seen_.learnt, 200), 1);
  }
}

TEST_F(LabelledTraining, OfOneFrameAProductSomeAreHeldOutAllTheSame) {
  std::vector<test::ListedFrame> list;
  for (int i = 0; i < 12; ++i) {
    list.push_back({flat_image(8, 8, static_cast<std::uint8_t>(100 + i)), "good", std::nullopt,
                    std::to_string(i)});
  }
  FrameList products(list);
  (void)train(products, request_);
  EXPECT_EQ(seen_.fitters, 1);
  EXPECT_EQ(seen_.validated.size(), 5U);
}

TEST_F(LabelledTraining, WithAPromiseTheHeldOutFramesChooseNothing) {
  request_.promise = PromiseTarget{0.2, 0.5};
  FrameList good = frames(20, 0);
  const ModelFile file = train(good, request_);
  EXPECT_THAT(seen_.validated, IsEmpty());
  EXPECT_TRUE(file.manifest.threshold_origin.facts.contains("promise"));
}

TEST_F(LabelledTraining, OfFewFramesTwoAreHeldOut) {
  FrameList good = frames(6, 0);
  (void)train(good, request_);
  EXPECT_EQ(seen_.fitters, 1);
  EXPECT_EQ(seen_.learnt.size(), 4U);
  EXPECT_EQ(seen_.validated.size(), 2U);
  FrameList three = frames(3, 0);
  expect_error(ErrorCode::kBadOption, {"at least 4 good images", "found 3"},
               [&] { return train(three, request_); });
}

TEST_F(LabelledTraining, LabelsReachTheFitterAndEveryKindIsHeldOut) {
  method_.needs = Needs::kLabels;
  FrameList both = frames(20, 10, false);
  const ModelFile file = train(both, request_);
  EXPECT_EQ(std::ranges::count(seen_.labels, 0), 16);
  EXPECT_EQ(std::ranges::count(seen_.labels, 1), 8);
  for (std::size_t i = 0; i < seen_.learnt.size(); ++i) {
    EXPECT_EQ(seen_.labels[i], seen_.learnt[i] >= 200 ? 1 : 0);
  }
  EXPECT_EQ(seen_.validated.size(), 6U);
  EXPECT_THAT(seen_.defect_pixels, IsEmpty());
  EXPECT_EQ(file.training_frames.size(), 24U);  // those held out are left to be judged on
  const std::int64_t held_out = short_hash(
      frame_sha256(view(flat_image(8, 8, static_cast<std::uint8_t>(seen_.validated.front())))));
  EXPECT_EQ(std::ranges::count(file.training_frames, held_out), 0);
}

TEST_F(LabelledTraining, ProbabilitiesKeepTheirScale) {
  method_.needs = Needs::kLabels;
  FrameList both = frames(10, 10, false);
  const Thresholds thresholds = train(both, request_).manifest.thresholds;
  EXPECT_EQ(thresholds.image, (ScoreScale{0, 0.5, 1}));
  EXPECT_EQ(thresholds.map, (ScoreScale{0, 0.7, 1}));
  EXPECT_EQ(thresholds.warn, 0.25);
}

TEST_F(LabelledTraining, APromiseForProbabilitiesComesFromHeldOutGoodFrames) {
  method_.needs = Needs::kLabels;
  request_.promise = PromiseTarget{0.2, 0.5};
  FrameList both = frames(30, 10, false);
  const ModelFile file = train(both, request_);
  const Manifest& manifest = file.manifest;
  EXPECT_EQ(manifest.threshold_origin.facts["promise"]["samples"], 6);
  EXPECT_EQ(file.training_frames.size(), 38U) << "the threshold is not judged by what made it";
  EXPECT_LT(manifest.thresholds.image.thr, 0.6);  // good levels end at 129 / 255
}

TEST_F(LabelledTraining, NothingNeedsToBeHeldOutOfASetWithATestPart) {
  method_.needs = Needs::kMasks;
  request_.holdout = 0;
  FrameList both = frames(4, 3);
  const ModelFile file = train(both, request_);
  EXPECT_EQ(seen_.learnt.size(), 7U);
  EXPECT_THAT(seen_.validated, IsEmpty());
  EXPECT_EQ(file.manifest.training.images, 7);
}

TEST_F(LabelledTraining, MasksAreCutLikeTheirFramesAndAFrameWithoutOneIsLeftOut) {
  method_.needs = Needs::kMasks;
  request_.holdout = 0;
  request_.preprocess.spec.resize = {16, 16};
  request_.preprocess.spec.window = {16, 8};  // an upper and a lower half
  request_.preprocess.spec.stride = {16, 8};
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel, const std::string& line) { warnings.push_back(line); });
  FrameList both = frames(1, 1);
  (void)train(both, request_);
  EXPECT_THAT(seen_.labels, ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(seen_.defect_pixels, ElementsAre(0, 0, 32, 0));
  EXPECT_THAT(seen_.names, ElementsAre("frame0", "frame0", "frame1", "frame1"));
  FrameList bare = frames(2, 1, false);
  seen_ = {};
  (void)train(bare, request_);
  set_log_sink({});
  EXPECT_THAT(seen_.labels, ElementsAre(0, 0, 0, 0));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("\"frame2\" is not learnt from"));
}

TEST_F(LabelledTraining, OneClassAloneIsRefused) {
  method_.needs = Needs::kLabels;
  FrameList good = frames(20, 0);
  expect_error(ErrorCode::kBadOption, {"recorder", "all 20", "are good", "--data"},
               [&] { return train(good, request_); });
  FrameList bad = frames(0, 20);
  expect_error(ErrorCode::kBadOption, {"are defective"}, [&] { return train(bad, request_); });
}

TEST_F(LabelledTraining, WhatMakesNoSenseWithLabelsIsRefused) {
  method_.needs = Needs::kLabels;
  FrameList both = frames(20, 20);
  request_.learn_sensitivity = true;
  expect_error(ErrorCode::kBadOption, {"sensitivity=uniform"},
               [&] { return train(both, request_); });
  request_.learn_sensitivity = false;
  request_.parts = {PartRule::Kind::kRun, 2};
  expect_error(ErrorCode::kBadOption, {"--part-of must be frame"},
               [&] { return train(both, request_); });
}

TEST_F(LabelledTraining, ProgressNeverFalls) {
  std::vector<double> fractions;
  request_.control.progress = [&](double fraction, const std::string&) {
    fractions.push_back(fraction);
  };
  FrameList good = frames(20, 0);
  (void)train(good, request_);
  EXPECT_TRUE(std::ranges::is_sorted(fractions));
}

}  // namespace
}  // namespace uad

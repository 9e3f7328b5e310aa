// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/cross_validation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/base/results/verdict.h"
#include "core/data/image_io.h"
#include "tests/core/frame_list.h"
#include "tests/core/stub_method.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

/// Probability of a defect: how far the image is brighter than the middle between the classes.
class BrightModel final : public AnomalyModel {
 public:
  explicit BrightModel(at::Tensor middle) : middle_(std::move(middle)) {
    traits_.probability = true;
  }
  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const at::Tensor level = tiles.images.mean({1, 2, 3});
    const at::Tensor chance = at::sigmoid((level - middle_) * 10);
    return {chance.view({-1, 1, 1, 1}).expand({-1, 1, tiles.images.size(2), tiles.images.size(3)}),
            chance};
  }
  void save(CheckpointWriter& out) const override { out.add("middle", middle_); }

 private:
  at::Tensor middle_;
  ModelTraits traits_;
};

/// What the fitters of a cross-validation were given.
struct Seen {
  std::vector<nlohmann::json> options;
  std::vector<std::int64_t> images;
};

class BrightFitter final : public Fitter {
 public:
  explicit BrightFitter(Seen& seen) : seen_(seen) {}
  void observe(const Tiles& tiles) override {
    levels_.push_back(tiles.images.mean({1, 2, 3}));
    labels_.push_back(tiles.labels);
  }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl&) override {
    const at::Tensor levels = at::cat(levels_);
    const at::Tensor labels = at::cat(labels_);
    seen_.images.push_back(levels.size(0));
    const at::Tensor good = levels.index({labels == 0}).mean();
    const at::Tensor bad = levels.index({labels == 1}).mean();
    return std::make_unique<BrightModel>(((good + bad) / 2).view({1}));
  }

 private:
  Seen& seen_;
  std::vector<at::Tensor> levels_;
  std::vector<at::Tensor> labels_;
};

Method bright_method(Seen& seen) {
  Method method = test::level_method();
  method.name = "bright";
  method.needs = Needs::kLabels;
  method.options = {{.name = "target_train_accuracy",
                     .type = OptionType::kFloat,
                     .default_value = 0.98,
                     .help = "stub"}};
  method.make_fitter = [&seen](const FitContext& context) {
    seen.options.push_back(context.options);
    return std::make_unique<BrightFitter>(seen);
  };
  method.load = [](const CheckpointReader& in, const Execution&) -> std::unique_ptr<AnomalyModel> {
    return std::make_unique<BrightModel>(in.get("middle", at::kFloat, {1}));
  };
  return method;
}

class CrossValidation : public testing::Test {
 protected:
  void add(const char* kind, int level) {
    const auto file = folder_ / fmt::format("{:02}.png", items_.size());
    write_png(file, test::flat_image(16, 16, static_cast<std::uint8_t>(level)));
    items_.push_back({file, kind, std::string(kind) != "good", {}});
  }
  TrainRequest request(const Method& method) {
    TrainRequest request;
    request.method = &method;
    request.preprocess.spec = method.default_input;
    return request;
  }

  test::TempDir folder_;
  std::vector<ImageItem> items_;
  Seen seen_;
};

TEST_F(CrossValidation, JudgesEveryImageOnceByAModelThatHasNotSeenIt) {
  for (int i = 0; i < 10; ++i) add("good", 40 + i);
  for (int i = 0; i < 5; ++i) add("hot", 200 + i);
  add("hot", 60);  // dark as a good one: missed by whatever it was not learnt from
  const Method method = bright_method(seen_);
  const std::vector<FoldResult> folds = cross_validate(items_, 3, request(method));
  ASSERT_EQ(folds.size(), 3U);
  Confusion sum;
  for (const FoldResult& fold : folds) {
    const Confusion& one = fold.decisions;
    EXPECT_EQ(fold.fitted + one.tp + one.fp + one.fn + one.tn, 16);
    sum = {sum.tp + one.tp, sum.fp + one.fp, sum.fn + one.fn, sum.tn + one.tn};
  }
  EXPECT_EQ(sum.tp, 5);
  EXPECT_EQ(sum.fn, 1);
  EXPECT_EQ(sum.tn, 10);
  EXPECT_EQ(sum.fp, 0);
  const nlohmann::json json = to_json(folds);
  EXPECT_EQ(json["folds"].size(), 3U);
  // the last of six hot ones is in the last fold, with another one: half of them found
  EXPECT_NEAR(json["mean"]["balanced_accuracy"].get<double>(), (1 + 1 + 0.75) / 3, 1e-9);
}

TEST_F(CrossValidation, FitsToTheEndOnAllOtherImages) {
  for (int i = 0; i < 4; ++i) add("good", 40 + i);
  for (int i = 0; i < 4; ++i) add("hot", 200 + i);
  const Method method = bright_method(seen_);
  TrainRequest wish = request(method);
  wish.options["target_train_accuracy"] = 0.5;
  wish.holdout = 0.5;
  std::vector<double> progress;
  wish.control.progress = [&](double fraction, const std::string&) {
    progress.push_back(fraction);
  };
  (void)cross_validate(items_, 2, wish);
  EXPECT_EQ(seen_.images, (std::vector<std::int64_t>{4, 4}));
  for (const nlohmann::json& options : seen_.options) {
    EXPECT_EQ(options["target_train_accuracy"], 1.0);
  }
  EXPECT_TRUE(std::ranges::is_sorted(progress));
  EXPECT_LE(progress.back(), 1);
}

TEST_F(CrossValidation, NeedsLabelsAndBothClasses) {
  for (int i = 0; i < 6; ++i) add("good", 40 + i);
  const Method good_only = test::level_method();
  test::expect_error(ErrorCode::kBadOption, {"level", "good images only"},
                     [&] { return cross_validate(items_, 2, request(good_only)); });
  const Method method = bright_method(seen_);
  test::expect_error(ErrorCode::kBadOption, {"good"},
                     [&] { return cross_validate(items_, 2, request(method)); });
}

}  // namespace
}  // namespace uad

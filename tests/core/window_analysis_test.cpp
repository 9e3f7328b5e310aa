// SPDX-License-Identifier: LGPL-2.1-or-later
// Some windows of a frame through real models, against the whole frame.
#include <numeric>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tests/core/frame_list.h"
#include "tests/core/stub_method.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

constexpr int kWidth = 96;
constexpr int kHeight = 64;

/// Stripes with noise. `blot` from there: a bright square of 14.
Image part(int seed, std::optional<Point> blot = {}) {
  at::manual_seed(seed);
  const at::Tensor noise = at::randint(0, 30, {kHeight, kWidth, 3}, at::kByte);
  Image image{kWidth, kHeight, 3, std::vector<std::uint8_t>(kWidth * kHeight * 3)};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool inside =
          blot && x >= blot->x && x < blot->x + 14 && y >= blot->y && y < blot->y + 14;
      const int base = inside ? 225 : x % 16 < 8 ? 60 : 160;
      for (int c = 0; c < 3; ++c) {
        const int at = 3 * (y * kWidth + x) + c;
        image.pixels[static_cast<std::size_t>(at)] =
            static_cast<std::uint8_t>(base + noise.const_data_ptr<std::uint8_t>()[at]);
      }
    }
  }
  return image;
}

struct Trained {
  std::string method;
  bool sensitivity = false;
};

/// Six windows of 48x32, half over each other across.
class WindowAnalysis : public ::testing::TestWithParam<Trained> {
 protected:
  WindowAnalysis() {
    std::vector<test::ListedFrame> listed;
    for (int i = 0; i < 28; ++i) listed.push_back({part(i), "good", {}});
    test::FrameList frames(listed);
    TrainRequest request;
    request.method = &models::find_method(GetParam().method);
    request.options = {{"backbone", "gabor"}};
    request.preprocess.spec.resize = {kWidth, kHeight};
    request.preprocess.spec.window = {48, 32};
    request.preprocess.spec.stride = {24, 32};
    request.learn_sensitivity = GetParam().sensitivity;
    request.holdout = 0.4;  // the gains take half of these
    save_model_file(folder_ / "line.uad", train(frames, request));
    model_ = load_model(folder_ / "line.uad", models::method_table(), {}, {}, {});
    windowed_ = dynamic_cast<const WindowedModel*>(model_.get());
  }

  [[nodiscard]] TileBatchPtr tiles(const Image& image) const {
    return TilePreprocessor({model_->manifest().input, {}}).cut(view(image));
  }
  ModelOutput look(const Image& image, const std::vector<std::size_t>& chosen) {
    return windowed_->analyse_windows(*tiles(image), chosen, "", kept_).frame;
  }

  const std::vector<std::size_t> all_{0, 1, 2, 3, 4, 5};
  test::TempDir folder_;
  ModelPtr model_;
  const WindowedModel* windowed_ = nullptr;
  KeptWindows kept_;
};

TEST_P(WindowAnalysis, AllWindowsAreTheWholeFrameToTheBit) {
  ASSERT_NE(windowed_, nullptr);
  for (const Image& image : {part(100), part(101, Point{60, 40}), part(102)}) {
    const ModelOutput whole = model_->analyse(*tiles(image));
    const ModelOutput pieced = look(image, all_);
    EXPECT_EQ(pieced.score, whole.score);
    EXPECT_EQ(pieced.map, whole.map);
    EXPECT_EQ(pieced.placement, whole.placement);
  }
}

TEST_P(WindowAnalysis, WindowsLookedAtOneAfterTheOtherShowTheFrame) {
  const Image now = part(101, Point{60, 40});
  static_cast<void>(look(part(100), all_));
  ModelOutput pieced;
  for (const std::vector<std::size_t>& chosen : {std::vector<std::size_t>{4}, {0, 2}, {1, 3, 5}}) {
    pieced = look(now, chosen);
  }
  KeptWindows at_once;
  const ModelOutput whole = windowed_->analyse_windows(*tiles(now), all_, "", at_once).frame;
  for (const std::size_t window : all_) {
    EXPECT_NEAR(kept_.scores[window], at_once.scores[window], 1e-4 * at_once.scores[window]);
  }
  if (model_->manifest().method == "patchcore" && !GetParam().sensitivity) {
    EXPECT_NEAR(pieced.score, whole.score, 1e-4 * whole.score) << "the worst window's";
  }
}

TEST_P(WindowAnalysis, ADefectRejectsInTheFrameThatLooksAtItsWindow) {
  const double reject = model_->manifest().thresholds.image.thr;
  const Image bad = part(101, Point{66, 41});  // in windows 4 and 5
  ASSERT_GE(model_->analyse(*tiles(bad)).score, reject);
  ASSERT_LT(look(part(100), all_).score, reject);
  EXPECT_LT(look(bad, {0, 1}).score, reject);
  EXPECT_GE(look(bad, {5}).score, reject) << "although its neighbour has not seen it";
  EXPECT_GE(kept_.suspicions[5], reject);
  EXPECT_LT(kept_.suspicions[0], reject);
  EXPECT_LT(look(part(103), {5}).score, reject) << "gone";
}

INSTANTIATE_TEST_SUITE_P(Methods, WindowAnalysis,
                         ::testing::Values(Trained{"patchcore"}, Trained{"padim"},
                                           Trained{"patchcore", true}),
                         [](const auto& info) {
                           return info.param.method + (info.param.sensitivity ? "Gains" : "");
                         });

InputSpec divided() {
  InputSpec spec;
  spec.resize = {};
  spec.window = spec.stride = {8, 8};
  spec.mean = {0, 0, 0};
  spec.std = {1, 1, 1};
  return spec;
}

TEST(AnalyseWindows, WindowsThatFollowEachOtherGoTogetherAndKnowWhichTheyAre) {
  class Witness final : public AnomalyModel {
   public:
    [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
    [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
      calls.push_back({tiles.first_window, tiles.images.size(0)});
      EXPECT_EQ(tiles.windows, 8);
      return {at::zeros({tiles.images.size(0), 1, 8, 8}), at::zeros({tiles.images.size(0)})};
    }
    void save(CheckpointWriter& /*out*/) const override {}
    mutable std::vector<std::pair<std::int64_t, std::int64_t>> calls;

   private:
    ModelTraits traits_;
  };
  const auto tiles = TilePreprocessor({divided(), {}}).cut(view(test::flat_image(64, 8, 100)));
  const Witness model;
  KeptWindows kept;
  static_cast<void>(analyse_windows(model, *tiles, {0, 1, 2, 3, 4, 5, 6, 7}, "", kept));
  static_cast<void>(analyse_windows(model, *tiles, {0, 3, 4, 5, 7}, "", kept));
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected{{0, 8}, {0, 1}, {3, 3}, {7, 1}};
  EXPECT_EQ(model.calls, expected);
}

TEST(AnalyseWindows, TheScoreOfAMapMaximumIsThatOfTheKeptMap) {
  const test::LevelModel model(at::zeros({1}), true);
  const TilePreprocessor cutter({divided(), {}});
  KeptWindows kept;
  const auto bright = cutter.cut(view(test::flat_image(16, 8, 255)));
  const auto dark = cutter.cut(view(test::flat_image(16, 8, 51)));
  EXPECT_FLOAT_EQ(static_cast<float>(analyse_windows(model, *bright, {0, 1}, "", kept).frame.score),
                  1);
  EXPECT_FLOAT_EQ(static_cast<float>(analyse_windows(model, *dark, {0}, "", kept).frame.score), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(analyse_windows(model, *dark, {1}, "", kept).frame.score),
                  0.2F);
}

TEST(AnalyseWindows, SomeWindowsOfAFirstFrameAreRefused) {
  const test::LevelModel model(at::zeros({1}), false);
  const auto tiles = TilePreprocessor({divided(), {}}).cut(view(test::flat_image(16, 8, 9)));
  KeptWindows kept;
  EXPECT_THROW(static_cast<void>(analyse_windows(model, *tiles, {1}, "", kept)), Error);
}

}  // namespace
}  // namespace uad

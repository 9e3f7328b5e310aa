// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/learn_good.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::expect_error;
using test::FrameList;

constexpr int kWidth = 96;
constexpr int kHeight = 64;
const Size kSmall{48, 32};  // for many updates

/// Stripes with noise. `blot`, if not black, is the colour of a square at `x`.
Image part(int seed, std::array<int, 3> blot = {}, int x = 40) {
  at::manual_seed(seed);
  const at::Tensor noise = at::randint(0, 30, {kHeight, kWidth, 3}, at::kByte);
  Image image{kWidth, kHeight, 3, std::vector<std::uint8_t>(kWidth * kHeight * 3)};
  for (int i = 0; i < kWidth * kHeight; ++i) {
    const int column = i % kWidth;
    const int row = i / kWidth;
    const bool inside = column >= x && column < x + 14 && row >= 24 && row < 38;
    for (int c = 0; c < 3; ++c) {
      const int grain = noise.const_data_ptr<std::uint8_t>()[3 * i + c];
      const int base = inside && blot[0] + blot[1] + blot[2] > 0 ? blot[static_cast<std::size_t>(c)]
                       : column % 16 < 8                         ? 60
                                                                 : 160;
      image.pixels[static_cast<std::size_t>(3 * i + c)] =
          static_cast<std::uint8_t>(std::min(255, base + grain));
    }
  }
  return image;
}

constexpr std::array<int, 3> kLabel{225, 10, 10};   // a label that is allowed
constexpr std::array<int, 3> kBurn{225, 225, 225};  // a defect

class LearnGood : public ::testing::TestWithParam<std::string> {
 protected:
  LearnGood() { learn({kWidth, kHeight}, {{"backbone", "gabor"}}); }

  void learn(Size size, const nlohmann::json& options) {
    std::vector<test::ListedFrame> listed;
    for (int i = 0; i < 24; ++i) listed.push_back({part(i), "good", {}});
    FrameList frames(listed);
    TrainRequest request;
    request.method = &models::find_method(GetParam());
    request.options = options;
    request.preprocess.spec.resize = size;
    save_model_file(folder_ / "line.uad", train(frames, request));
    model_ = load(folder_ / "line.uad");
    options_ = {reject(), model_->manifest().thresholds.warn, {}, folder_ / "learnt.uad"};
  }

  static ModelPtr load(const std::filesystem::path& file) {
    return load_model(file, models::method_table(), {}, {}, {});
  }
  [[nodiscard]] double reject() const { return model_->manifest().thresholds.image.thr; }
  [[nodiscard]] TileBatchPtr tiles(const Image& image) const {
    return TilePreprocessor({model_->manifest().input, {}}).cut(view(image));
  }
  [[nodiscard]] double score(const Model& model, const Image& image) const {
    return model.analyse(*tiles(image)).score;
  }
  /// Images of burns in the folder that the update must respect.
  void keep_defects() {
    options_.kept_defects = folder_ / "defects";
    std::filesystem::create_directory(options_.kept_defects);
    for (int i = 0; i < 4; ++i) {
      write_png(options_.kept_defects / (std::to_string(i) + ".png"),
                part(200 + i, kBurn, 10 + 20 * i));
    }
  }

  test::TempDir folder_;
  ModelPtr model_;
  LearnGoodOptions options_;
};

TEST_P(LearnGood, AFalseRejectPassesAndPlantedDefectsDoNot) {
  keep_defects();
  const Image label = part(100, kLabel);
  ASSERT_GE(score(*model_, label), reject());
  const LearntGood learnt = model_->learn_good(*tiles(label), options_, {});
  ASSERT_TRUE(learnt.model);
  EXPECT_EQ(learnt.before, score(*model_, label));
  EXPECT_EQ(learnt.after, score(*learnt.model, label));
  EXPECT_LT(learnt.after, reject());
  EXPECT_EQ(learnt.defects, 4U);
  for (int i = 0; i < 8; ++i) {
    EXPECT_GE(score(*learnt.model, part(300 + i, kBurn, 4 + 10 * i)), reject()) << i;
    const Image good = part(400 + i);
    if (score(*model_, good) >= reject()) continue;
    EXPECT_LT(score(*learnt.model, good), reject()) << i;
  }
}

TEST_P(LearnGood, TheOldModelStaysAsItIsToTheBit) {
  const double before = score(*model_, part(100, kLabel));
  const double good = score(*model_, part(50));
  static_cast<void>(model_->learn_good(*tiles(part(100, kLabel)), options_, {}));
  EXPECT_EQ(score(*model_, part(100, kLabel)), before);
  EXPECT_EQ(score(*model_, part(50)), good);
}

TEST_P(LearnGood, TheWrittenModelIsTheOneInService) {
  const LearntGood learnt = model_->learn_good(*tiles(part(100, kLabel)), options_, {});
  const ModelPtr loaded = load(options_.output);  // replays its self-test
  EXPECT_EQ(loaded->sha256(), learnt.model->sha256());
  EXPECT_NE(loaded->sha256(), model_->sha256());
  EXPECT_EQ(score(*loaded, part(101, kLabel)), score(*learnt.model, part(101, kLabel)));
  EXPECT_EQ(loaded->manifest().training.marked_good, 1);
  EXPECT_EQ(loaded->manifest().training.images, model_->manifest().training.images + 1);
  EXPECT_EQ(loaded->manifest().thresholds, model_->manifest().thresholds);
}

TEST_P(LearnGood, AFrameLikeAKeptDefectIsRefusedAndNothingIsWritten) {
  keep_defects();
  expect_error(ErrorCode::kBadOption, {"kept defect", ".png", "would pass"}, [&] {
    // every place of the kept ones, so that each method comes to know them
    ModelPtr model = model_;
    for (int i = 0; i < 4; ++i) {
      const Image burn = part(200 + i, kBurn, 10 + 20 * i);
      const LearntGood learnt = model->learn_good(*tiles(burn), options_, {});
      if (learnt.model) model = learnt.model;
    }
  });
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST_P(LearnGood, AFrameThatPassesTeachesNothing) {
  Image good = part(50);
  for (int i = 50; score(*model_, good) >= options_.warn; ++i) good = part(i);
  EXPECT_FALSE(model_->learn_good(*tiles(good), options_, {}).model);
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST_P(LearnGood, ADiskThatCannotBeWrittenRefuses) {
  options_.output = folder_ / "missing" / "learnt.uad";
  expect_error(ErrorCode::kFailed, {"missing"},
               [&] { return model_->learn_good(*tiles(part(100, kLabel)), options_, {}); });
}

TEST_P(LearnGood, TilesOfAnotherShapeAreRefused) {
  const auto other = TilePreprocessor({{{}, {32, 32}}, {}}).cut(view(part(0)));
  expect_error(ErrorCode::kShapeMismatch, {},
               [&] { return model_->learn_good(*other, options_, {}); });
}

/// Resident memory of this process, bytes.
std::int64_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t found = 0;
  statm >> pages >> found;
  return found * 4096;
}

// 60 updates, or as many as UAD_UPDATES says: docs/performance.md has 1,000.
TEST_P(LearnGood, UpdatesTakeNoMoreMemoryHoweverManyComeAfterEachOther) {
  const char* const wanted = std::getenv("UAD_UPDATES");
  const int total = wanted != nullptr ? std::stoi(wanted) : 60;
  nlohmann::json small = {{"backbone", "gabor"}};
  if (GetParam() == "padim") small["n_features"] = 12;
  learn(kSmall, small);
  std::int64_t after_some = 0;
  std::uintmax_t bytes = 0;
  ModelPtr model = model_;
  int updates = 0;
  for (int i = 0; updates < total; ++i) {
    const std::array<int, 3> colour{60 + i * 37 % 190, i * 53 % 250, i * 71 % 250};
    const Image label = part(1000 + i, colour, i * 13 % (kWidth - 14));
    try {
      // a bar low enough for every frame to have something to teach
      const double now = score(*model, label);
      const LearnGoodOptions options{now * 0.9999, now * 0.9999, {}, options_.output};
      const LearntGood learnt = model->learn_good(*tiles(label), options, {});
      if (!learnt.model) continue;
      model = learnt.model;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBadOption) << error.what();  // refused, and said so
    }
    if (++updates == total / 5) {
      after_some = resident();
      bytes = std::filesystem::file_size(options_.output);
    }
  }
  const std::int64_t grown = resident() - after_some;
  std::printf("%d updates: %.1f MB more resident than after %d\n", total,
              static_cast<double>(grown) / 1e6, total / 5);
  EXPECT_LT(grown, 8 << 20);
  EXPECT_NEAR(static_cast<double>(std::filesystem::file_size(options_.output)),
              static_cast<double>(bytes), 64)
      << "but for the digits of its counts";
}

INSTANTIATE_TEST_SUITE_P(Methods, LearnGood, ::testing::Values("patchcore", "padim"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace uad

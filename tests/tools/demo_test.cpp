// SPDX-License-Identifier: LGPL-2.1-or-later
// `uad demo` does the project's main job on a machine with nothing but the project.
#include <algorithm>
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using test::run_uad;
using test::TempDir;
using ::testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(Demo, LearnsItsOwnDefectsAndRecordsTheVideo) {
  const TempDir folder;
  const fs::path out = folder / "demo";
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_uad({"demo", "--output", out});
  const auto spent = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(result.code, 0) << result.err;
  RecordProperty("seconds", static_cast<int>(spent / std::chrono::seconds(1)));
  const auto metrics = nlohmann::json::parse(test::read_bytes(out / "metrics.json"));
  EXPECT_GE(metrics["image_auroc"], 0.95);
  EXPECT_GE(metrics["pixel_auroc"], 0.95);
  EXPECT_GE(metrics["video"]["frame_auroc"], 0.95);
  EXPECT_EQ(metrics["video"]["frames"].size(), 300U);
  EXPECT_EQ(files_in(out / "dataset" / "train" / "good"), 40U);
  EXPECT_EQ(files_in(out / "dataset" / "test" / "good"), 20U);
  for (const char* kind : {"scratch", "stain", "dent"}) {
    EXPECT_EQ(files_in(out / "dataset" / "test" / kind), 10U);
    EXPECT_EQ(files_in(out / "dataset" / "ground_truth" / kind), 10U);
  }
  EXPECT_GT(fs::file_size(out / "annotated.mp4"), 100000U);
  EXPECT_THAT(result.out, HasSubstr("gst-launch-1.0 filesrc"));
  EXPECT_EQ(run_uad({"info", out / "model.uad", "--verify"}).code, 0);
}

TEST(ProductionLine, TheSameSeedDrawsTheSamePicture) {
  const auto scratched = [](int) { return demo::Defect::kScratch; };
  demo::ProductionLine a(5, scratched);
  demo::ProductionLine b(5, scratched);
  demo::ProductionLine other(6, scratched);
  (void)a.shoot({64, 64}, 900, 1.0);  // what was drawn before plays no part
  const demo::Shot shot = a.shoot({256, 256}, 0, 1.0);
  EXPECT_EQ(shot.image, b.shoot({256, 256}, 0, 1.0).image);
  EXPECT_NE(shot.image, other.shoot({256, 256}, 0, 1.0).image);
}

TEST(ProductionLine, MasksCoverTheirDefectAndNothingElse) {
  for (const demo::Defect defect :
       {demo::Defect::kScratch, demo::Defect::kStain, demo::Defect::kDent}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      demo::ProductionLine line(seed, [defect](int) { return defect; });
      const demo::Shot shot = line.shoot({256, 256}, 0, 1.0);
      const auto pixels = std::ranges::count(shot.mask.pixels, 255);
      EXPECT_GT(pixels, 20) << to_string(defect);
      EXPECT_LT(pixels, 256 * 256 / 25) << to_string(defect);  // small, as real defects are
      EXPECT_EQ(std::ranges::count(shot.mask.pixels, 0) + pixels, 256 * 256);
    }
  }
}

TEST(ProductionLine, GoodPartsHaveNoDefectPixel) {
  demo::ProductionLine line(3, [](int) { return demo::Defect::kNone; });
  EXPECT_EQ(std::ranges::count(line.shoot({640, 360}, 600, 1.0).mask.pixels, 0), 640 * 360);
}

TEST(ProductionLine, PartsMoveWithTheBelt) {
  demo::ProductionLine line(3, [](int) { return demo::Defect::kStain; });
  const demo::Shot before = line.shoot({256, 256}, 0, 1.0);
  const demo::Shot after = line.shoot({256, 256}, 10, 1.0);
  for (int y = 0; y < 256; ++y) {
    for (int x = 10; x < 256; ++x) {
      const auto at = [](const Image& mask, int row, int column) {
        return mask.pixels[static_cast<std::size_t>(row * 256 + column)];
      };
      ASSERT_EQ(at(after.mask, y, x - 10), at(before.mask, y, x));
    }
  }
}

}  // namespace
}  // namespace uad

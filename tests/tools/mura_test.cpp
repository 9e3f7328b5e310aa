// SPDX-License-Identifier: LGPL-2.1-or-later
// Few-shot mura detection on the command line: drawn panels, published options, published tables.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/files/model_file.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_uad;
using ::testing::HasSubstr;

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Mura : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir();
    const auto drawn = run_uad({"draw-mura", "--output", *folder_ / "data/mura", "--size", "120x80",
                                "--train", "8", "--eval", "3", "--test", "6"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
    const auto trained = run_uad(command({"-rd", *folder_ / "results/first"}));
    ASSERT_EQ(trained.code, 0) << trained.err;
    said_ = trained.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  /// The published options by their short names.
  static std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> args{"train",
                                  "--method",
                                  "uf-gan",
                                  "-rtd",
                                  *folder_ / "data",
                                  "-dn",
                                  "mura",
                                  "-sz",
                                  "32",
                                  "-ws",
                                  "64",
                                  "-s",
                                  "4",
                                  "-bs",
                                  "2",
                                  "-metaiter",
                                  "2",
                                  "-ii",
                                  "1",
                                  "-ei",
                                  "1",
                                  "-aw",
                                  "0.5",
                                  "-metastep",
                                  "0.3",
                                  "-lr",
                                  "0.001",
                                  "-ks",
                                  "3",
                                  "-bmw",
                                  "n",
                                  "--task-size",
                                  "2",
                                  "--statistics",
                                  "reestimated",
                                  "--output",
                                  *folder_ / "mura.uad"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }

  static test::TempDir* folder_;
  static std::string said_;  // by the training
};

test::TempDir* Mura::folder_ = nullptr;
std::string Mura::said_;

TEST_F(Mura, ShortOptionsReachTheModel) {
  const json options = read_manifest(*folder_ / "mura.uad").options;
  EXPECT_EQ(options["size"], 32);
  EXPECT_EQ(options["shots"], 4);
  EXPECT_EQ(options["anomaly_weight"], 0.5);
  EXPECT_EQ(options["meta_step_size"], 0.3);
  EXPECT_EQ(options["kernel_size"], 3);
  EXPECT_EQ(options["best_model_weight"], false);
  EXPECT_EQ(options["lr"], 0.001);
}

TEST_F(Mura, CurvesHaveTheAurocOfTheEvaluationFolder) {
  const std::vector<std::string> curves = lines_of(*folder_ / "mura.run/curves.csv");
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_THAT(curves[0], HasSubstr("val_auroc"));
  EXPECT_THAT(curves[0], HasSubstr("train_discriminator_loss"));
}

TEST_F(Mura, PublishedTablesAreWritten) {
  const fs::path results = *folder_ / "results/first";
  const std::vector<std::string> rows = lines_of(results / "results.csv");
  ASSERT_EQ(rows.size(), 13U);  // 6 of each class
  EXPECT_EQ(rows[0], "preds,scores,path,true");
  const json figures = json::parse(test::read_bytes(results / "result.txt"));
  EXPECT_TRUE(figures["youden"].contains("FAR"));
  const double wrong = 12 * (1 - figures["fixed"]["Acc"].get<double>());
  EXPECT_NEAR(static_cast<double>(lines_of(results / "false_results.csv").size()), 1 + wrong, 1e-6);
  EXPECT_FALSE(lines_of(results / "setting.txt").empty());
  EXPECT_EQ(lines_of(*folder_ / "results/main_result.csv").size(), 2U);
  EXPECT_THAT(said_, HasSubstr("scaled over this set"));
}

TEST_F(Mura, AnImageOfEachClassIsShownBesideItsReconstruction) {
  const fs::path results = *folder_ / "results/first";
  const std::vector<std::string> rows = lines_of(results / "reconstructions.csv");
  ASSERT_EQ(rows.size(), 5U);  // two crops of each
  EXPECT_EQ(rows[0], "true,path,crop,MSE,MAE,SSIM");
  EXPECT_THAT(rows[1], HasSubstr("normal"));
  EXPECT_THAT(rows[4], HasSubstr("defect"));
  for (const char* name : {"reconstruction_normal.png", "reconstruction_defect.png"}) {
    EXPECT_EQ(read_image(results / name).height, 2 * (28 + 256 + 12));
  }
}

TEST_F(Mura, ModeFalseJudgesTheModelThatIsThere) {
  const std::string before = test::read_bytes(*folder_ / "mura.uad");
  const auto judged = run_uad(command({"-m", "f", "-rd", *folder_ / "results/again"}));
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(test::read_bytes(*folder_ / "mura.uad"), before);
  EXPECT_EQ(lines_of(*folder_ / "results/first/results.csv"),
            lines_of(*folder_ / "results/again/results.csv"));
}

TEST_F(Mura, ThresholdsMayBeAShareOfTheRange) {
  const std::string set = *folder_ / "data/mura";
  const auto evaluated = run_uad({"eval", "--model", *folder_ / "mura.uad", "--data", set,
                                  "--set-threshold", "0.6", "--json", *folder_ / "eval.json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const json figures = json::parse(test::read_bytes(*folder_ / "eval.json"))["set_figures"];
  EXPECT_EQ(figures["fixed"]["Threshold"], 0.6);
  const auto calibrated =
      run_uad({"calibrate", "--model", *folder_ / "mura.uad", "--data", set, "--rule", "range",
               "--set-threshold", "0.6", "--output", *folder_ / "range.uad"});
  ASSERT_EQ(calibrated.code, 0) << calibrated.err;
  const ScoreScale scale = read_manifest(*folder_ / "range.uad").thresholds.image;
  const double low = figures["lowest"].get<double>();
  const double high = figures["highest"].get<double>();
  EXPECT_NEAR(scale.thr, low + 0.6 * (high - low), 1e-5 * high);
}

TEST_F(Mura, SetsAreNotDrawnOverOthers) {
  const auto again = run_uad({"draw-mura", "--output", *folder_ / "data/mura"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("is not empty"));
}

TEST_F(Mura, MissingEvaluationFoldersAreNamed) {
  const auto trained = run_uad(command({"-eld", "nowhere"}));
  EXPECT_EQ(trained.code, 1);
  EXPECT_THAT(trained.err, HasSubstr("--eval-data"));
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Each method that learns by gradient, from pictures to a verdict in a pipeline: a short job that
// has to find drawn stains far better than chance.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "core/files/safetensors.h"
#include "tests/models/backbones/fixture.h"
#include "tests/pipelines/one_frame.h"
#include "tests/support/process.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_uad;

struct Job {
  const char* method;
  std::vector<std::string> options;
  double image_auroc;  // at least
  double pixel_auroc;
  bool real_weights = false;   ///< skipped where there are none
  bool own_thresholds = true;  ///< find the stain; else those from the labelled set have to
};

void PrintTo(const Job& job, std::ostream* out) { *out << job.method; }

/// Drawn parts, some with stains, and random weights of a ResNet.
class StainedParts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir();
    draw("train/good", demo::Defect::kNone, 16);
    draw("test/good", demo::Defect::kNone, 8);
    draw("test/stain", demo::Defect::kStain, 12);
    (void)write_safetensors(*folder_ / "resnet18.safetensors", test::resnet18_fixture(), {});
  }
  static void TearDownTestSuite() { delete folder_; }

  static void draw(const std::string& part, demo::Defect defect, int count) {
    demo::ProductionLine line(std::hash<std::string>()(part) % 1000,
                              [defect](int) { return defect; });
    fs::create_directories(*folder_ / "set" / part);
    fs::create_directories(*folder_ / "set/ground_truth/stain");
    for (int i = 0; i < count; ++i) {
      const demo::Shot shot = line.shoot({128, 128}, i * demo::ProductionLine::kPitch, 1.0);
      const std::string name = std::to_string(10 + i);
      write_png(*folder_ / "set" / part / (name + ".png"), shot.image);
      if (defect == demo::Defect::kNone) continue;
      write_png(*folder_ / "set/ground_truth/stain" / (name + "_mask.png"), shot.mask);
    }
  }

  static json read_json(const fs::path& file) { return json::parse(test::read_bytes(file)); }

  static test::TempDir* folder_;
};

test::TempDir* StainedParts::folder_ = nullptr;

class TrainedMethods : public StainedParts, public ::testing::WithParamInterface<Job> {};

TEST_P(TrainedMethods, FindStainsOnTheCommandLineAndInAPipeline) {
  const fs::path weights = GetParam().real_weights ? test::shared_data("weights") : folder_->path();
  if (weights.empty()) GTEST_SKIP() << "no backbone weights in UAD_SHARED_DATA";
  const std::string set = *folder_ / "set";
  const std::string model = *folder_ / (std::string(GetParam().method) + ".uad");
  std::vector<std::string> train{
      "train",    "--method", GetParam().method, "--data", set,         "--output", model,
      "--resize", "128x128",  "--weights-dir",   weights,  "--do-eval", "false"};
  train.insert(train.end(), GetParam().options.begin(), GetParam().options.end());
  const auto trained = run_uad(train);
  ASSERT_EQ(trained.code, 0) << trained.err;
  const fs::path run = fs::path(model).replace_extension(".run");
  EXPECT_TRUE(fs::exists(run / "curves.csv"));
  EXPECT_TRUE(fs::exists(run / "last.ckpt"));

  const auto evaluated =
      run_uad({"eval", "--model", model, "--data", set, "--json", *folder_ / "eval.json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const json figures = read_json(*folder_ / "eval.json");
  EXPECT_GE(figures.at("image_auroc").get<double>(), GetParam().image_auroc);
  EXPECT_GE(figures.at("pixel_auroc").get<double>(), GetParam().pixel_auroc);

  const fs::path recalibrated = *folder_ / "recalibrated.json";
  const auto calibrated = run_uad({"calibrate", "--model", model, "--data", set, "--rule", "f1",
                                   "--output", *folder_ / "other.uad", "--json", recalibrated});
  ASSERT_EQ(calibrated.code, 0) << calibrated.err;
  const int judged =
      figures.at("counts").at("good").get<int>() + figures.at("counts").at("defective").get<int>();
  EXPECT_EQ(read_json(recalibrated).at("images"), judged) << "none that the model has learnt from";

  const std::string image = *folder_ / "set/test/stain/10.png";
  const std::string judge = GetParam().own_thresholds ? model : std::string(*folder_ / "other.uad");
  const auto predicted = run_uad({"predict", "--model", judge, image, "--json", "-"});
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  json answer = json::parse(predicted.out);
  if (answer.is_array()) answer = answer.at(0);
  const test::FrameAnswer frame = test::judge_png(image, judge, "", "uadoverlay !");
  EXPECT_NEAR(frame.score, answer.at("score").get<double>(), 1e-5 * frame.score);
  EXPECT_EQ(frame.verdict, UAD_VERDICT_REJECT);
  EXPECT_GE(frame.regions, 1U);
  EXPECT_EQ(answer.at("verdict"), "REJECT");
}

class InterruptedTraining : public StainedParts {
 protected:
  [[nodiscard]] static std::vector<std::string> train(const std::string& model) {
    return {"train",
            "--method",
            "stfpm",
            "--data",
            *folder_ / "set",
            "--output",
            *folder_ / model,
            "--resize",
            "64x64",
            "--weights-dir",
            folder_->path(),
            "--do-eval",
            "false",
            "--threads",
            "1",
            "--epochs",
            "10",
            "--batch-size",
            "8"};
  }
  /// Hashes of all tensors of a model file: what was learnt, without dates.
  static std::map<std::string, std::string> weights(const std::string& model) {
    return read_manifest(*folder_ / model).tensor_sha256;
  }
};

TEST_F(InterruptedTraining, ResumesToTheSameBits) {
  const auto whole = run_uad(train("whole.uad"));
  ASSERT_EQ(whole.code, 0) << whole.err;

  std::string command = std::getenv("UAD_PROGRAM");
  for (const std::string& word : train("broken.uad")) command += " '" + word + "'";
  uad::testing::Background broken(command + " 2>/dev/null");
  const fs::path curves = *folder_ / "broken.run" / "curves.csv";
  ASSERT_TRUE(uad::testing::eventually([&] { return uad::testing::lines_of(curves).size() > 2; }));
  EXPECT_EQ(broken.stop(SIGINT), 0);
  EXPECT_LT(uad::testing::lines_of(curves).size(), 11U);
  EXPECT_NE(weights("broken.uad"), weights("whole.uad"));

  std::vector<std::string> go_on = train("broken.uad");
  go_on.insert(go_on.end(), {"--resume", "true"});
  const auto resumed = run_uad(go_on);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(uad::testing::lines_of(curves).size(), 11U);
  EXPECT_EQ(weights("broken.uad"), weights("whole.uad"));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, TrainedMethods,
    ::testing::Values(
        Job{"iuf",
            {"--backbone", "gabor", "--layers", "layer1,layer2,layer3", "--oasa-patch-size", "16",
             "--epochs", "50", "--batch-size", "4", "--lr", "1e-3"},
            0.9,
            0.8,
            false,
            false},
        Job{"tiny-unet",
            {"--steps", "240", "--batch-size", "4", "--training-crop", "64", "--lr", "1e-3"},
            0.9,
            0.9},
        Job{"uf-gan",
            {"--size", "64", "--win-size", "64", "--meta-iters", "4", "--task-size", "8",
             "--statistics", "reestimated"},
            0.7,
            0.7,
            false,
            false},
        Job{"stfpm", {"--epochs", "15", "--batch-size", "4", "--lr", "0.2"}, 0.9, 0.9, true},
        Job{"vgg-cam",
            {"--epochs", "10", "--backbone", "resnet18", "--lr", "1e-3"},
            0.9,
            0.7,
            true}),
    [](const auto& info) {
      std::string name = info.param.method;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Each method that learns by gradient, from pictures to a verdict in a pipeline: a short job that
// has to find drawn stains far better than chance.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "core/files/safetensors.h"
#include "tests/models/backbones/fixture.h"
#include "tests/pipelines/one_frame.h"
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
};

void PrintTo(const Job& job, std::ostream* out) { *out << job.method; }

class TrainedMethods : public testing::TestWithParam<Job> {
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

test::TempDir* TrainedMethods::folder_ = nullptr;

TEST_P(TrainedMethods, FindStainsOnTheCommandLineAndInAPipeline) {
  const std::string set = *folder_ / "set";
  const std::string model = *folder_ / (std::string(GetParam().method) + ".uad");
  std::vector<std::string> train{
      "train",    "--method", GetParam().method, "--data",        set,         "--output", model,
      "--resize", "128x128",  "--weights-dir",   folder_->path(), "--do-eval", "false"};
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

  const std::string image = *folder_ / "set/test/stain/10.png";
  const auto predicted = run_uad({"predict", "--model", model, image, "--json", "-"});
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  json answer = json::parse(predicted.out);
  if (answer.is_array()) answer = answer.at(0);
  const test::FrameAnswer frame = test::judge_png(image, model, "", "uadoverlay !");
  EXPECT_NEAR(frame.score, answer.at("score").get<double>(), 1e-5 * frame.score);
  EXPECT_EQ(frame.verdict, UAD_VERDICT_REJECT);
  EXPECT_GE(frame.regions, 1U);
  EXPECT_EQ(answer.at("verdict"), "REJECT");
}

INSTANTIATE_TEST_SUITE_P(Methods, TrainedMethods,
                         testing::Values(Job{
                             "stfpm", {"--epochs", "12", "--batch-size", "8"}, 0.9, 0.8}),
                         [](const auto& info) {
                           std::string name = info.param.method;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// One model, one image, two routes: `uad predict` on a PNG, and a pipeline fed the same PNG as raw
// video.
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/engine/analyser.h"
#include "core/base/joint_model.h"
#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "models/backend_entry.h"
#include "tests/pipelines/one_frame.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using test::run_uad;

struct Answer {
  double score = 0;
  std::vector<float> map;
};

class SameScore : public testing::TestWithParam<std::vector<std::string>> {
 protected:
  void SetUp() override {
    demo::ProductionLine good(1, [](int) { return demo::Defect::kNone; });
    fs::create_directories(folder_ / "good");
    for (int i = 0; i < 12; ++i) {
      write_png(folder_ / "good" / (std::to_string(10 + i) + ".png"),
                good.shoot({161, 127}, i * 300, 1.0).image);
    }
    demo::ProductionLine scratched(2, [](int) { return demo::Defect::kScratch; });
    write_png(image(), scratched.shoot({161, 127}, 0, 1.0).image);
    std::vector<std::string> train{"train",    "--data", folder_ / "good",
                                   "--output", model(),  "--backbone",
                                   "gabor",    "--k",    "2"};
    for (const std::string& option : GetParam()) train.push_back(option);
    const auto result = run_uad(train);
    ASSERT_EQ(result.code, 0) << result.err;
  }

  [[nodiscard]] std::string model() const { return folder_ / "m.uad"; }
  [[nodiscard]] std::string image() const { return folder_ / "part.png"; }

  Answer from_command_line() {
    const auto result = run_uad(
        {"predict", "--model", model(), image(), "--json", "-", "--save-maps", folder_ / "maps"});
    EXPECT_EQ(result.code, 0) << result.err;
    Answer answer;
    const auto json = nlohmann::json::parse(result.out);
    answer.score = (json.is_array() ? json.at(0) : json).at("score").get<double>();
    for (const auto& entry : fs::directory_iterator(folder_ / "maps")) {
      if (entry.path().extension() == ".npy")
        answer.map = npy_values(test::read_bytes(entry.path()));
    }
    return answer;
  }

  Answer from_pipeline(const std::string& preproc) {
    const test::FrameAnswer found = test::judge_png(image(), model(), preproc);
    return {found.score, found.map};
  }

  static void expect_equal(const Answer& a, const Answer& b) {
    EXPECT_GT(a.score, 0);
    EXPECT_NEAR(a.score, b.score, 1e-5 * a.score);
    ASSERT_FALSE(a.map.empty());
    ASSERT_EQ(a.map.size(), b.map.size());
    for (std::size_t i = 0; i < a.map.size(); ++i) {
      ASSERT_NEAR(a.map[i], b.map[i], 1e-5 * std::abs(a.map[i])) << "at " << i;
    }
  }

 private:
  /// Version 1 of NumPy's format: 10 bytes, header, float32 values.
  static std::vector<float> npy_values(const std::string& bytes) {
    std::uint16_t header = 0;
    std::memcpy(&header, bytes.data() + 8, sizeof(header));
    std::vector<float> values((bytes.size() - 10 - header) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + 10 + header, values.size() * sizeof(float));
    return values;
  }

  test::TempDir folder_;
};

TEST_P(SameScore, CommandLineAndPipelineAgree) {
  expect_equal(from_command_line(), from_pipeline(""));
}

TEST_P(SameScore, TilesOfUadpreprocChangeNothing) {
  expect_equal(from_command_line(), from_pipeline("uadpreproc model=" + model() + " !"));
}

TEST_P(SameScore, FramesThatGoThroughTheNetworkTogetherAreJudgedAsAlone) {
  const AnalyserPtr analyser = Analyser::load(*uad_backend_4(), model());
  demo::ProductionLine line(
      3, [](int i) { return i % 2 == 0 ? demo::Defect::kNone : demo::Defect::kScratch; });
  std::vector<BatchedFrame> frames;
  for (int i = 0; i < 5; ++i) {
    frames.push_back({analyser->cut(view(line.shoot({161, 127}, i * 300, 1.0).image)), ""});
  }
  const auto& joint = dynamic_cast<const JointModel&>(analyser->model());
  const std::vector<ModelOutput> together = joint.analyse_together(frames);
  ASSERT_EQ(together.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const ModelOutput alone = analyser->model().analyse(*frames[i].tiles);
    expect_equal({together[i].score, together[i].map.values}, {alone.score, alone.map.values});
  }
}

INSTANTIATE_TEST_SUITE_P(
    Geometries, SameScore,
    testing::Values(std::vector<std::string>{"--resize", "96x96"},
                    std::vector<std::string>{"--resize", "128x128", "--window", "64x64"},
                    std::vector<std::string>{"--roi", "11,7,120,101", "--resize", "80x0"}));

}  // namespace
}  // namespace uad

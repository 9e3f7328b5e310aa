// SPDX-License-Identifier: LGPL-2.1-or-later
// `uad calibrate` and training with a promise, from outside.
#include <cmath>

#include <gmock/gmock.h>

#include "tests/support/shared_data.h"
#include "tests/tools/uad_fixture.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ProgramResult;
using test::read_json;
using test::run_uad;
using test::Uad;
using ::testing::HasSubstr;
using ::testing::Not;

/// `uad calibrate` of the shared model.
ProgramResult calibrate(const std::string& model, const std::string& data,
                        const std::string& output, std::vector<std::string> more,
                        const std::string& before = "") {
  std::vector<std::string> args{"calibrate", "--model", model, "--data", data, "--output", output};
  args.insert(args.end(), more.begin(), more.end());
  return run_uad(args, before);
}

TEST_F(Uad, CalibrateStoresThePromiseAndItsDerivation) {
  const fs::path output = folder_ / "new.uad";
  const ProgramResult result = calibrate(model(), image("good"), output,
                                         {"--false-reject-rate", "0.01", "--json", folder_ / "c"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1 % needs 299 independent good frames, there were 4"));
  const json facts = read_json(folder_ / "c")["facts"];
  EXPECT_EQ(facts["promise"]["samples"], 4);
  EXPECT_NEAR(facts["promise"]["rate"].get<double>(), 1 - std::pow(0.05, 0.25), 1e-9);
  const ProgramResult info = run_uad({"info", output, "--verify"});
  ASSERT_EQ(info.code, 0) << info.err;
  for (const char* part : {"promised false-reject rate", "with 95 % confidence at most 52.8 %",
                           "without any promise", "just above the largest"}) {
    EXPECT_THAT(info.out, HasSubstr(part));
  }
  // The frames that it was calibrated on do not reach the threshold.
  const ProgramResult predict =
      run_uad({"predict", "--model", output, image("good"), "--fail-on-reject"});
  EXPECT_EQ(predict.code, 0) << predict.out;
  const fs::path page = folder_ / "page.html";
  ASSERT_EQ(run_uad({"eval", "--model", output, "--data", data(), "--report", page}).code, 0);
  EXPECT_NE(test::read_bytes(page).find("with 95 % confidence at most 52.8 %"), std::string::npos);
}

TEST_F(Uad, CalibrateMayReplaceItsModelAndKeepsAllButTheThresholds) {
  const fs::path file = folder_ / "line.uad";
  ASSERT_EQ(train({"--output", file, "--min-area", "40"}).code, 0);
  ASSERT_EQ(run_uad({"info", file, "--json", folder_ / "before"}).code, 0);
  ASSERT_EQ(calibrate(file, image("good"), file, {}).code, 0);
  ASSERT_EQ(run_uad({"info", file, "--verify", "--json", folder_ / "after"}).code, 0);
  const json before = read_json(folder_ / "before");
  const json after = read_json(folder_ / "after");
  for (const char* key : {"tensors", "options", "input", "training", "self_test", "min_area"}) {
    EXPECT_EQ(before[key], after[key]) << key;
  }
  EXPECT_NE(before["reject"], after["reject"]);
  EXPECT_EQ(after["threshold_origin"]["facts"]["promise"]["needed"], 2995);  // 1e-3 by default
}

TEST_F(Uad, CalibrateCountsAPartOnce) {
  for (const char* part : {"a", "b"}) {
    fs::create_directories(folder_ / "parts" / part);
    for (const char* name : {"0.png", "1.png"}) {
      fs::copy(image("good/" + std::string(name)), folder_ / "parts" / part / name);
    }
  }
  const auto samples = [&](const fs::path& good, const std::string& rule) {
    const ProgramResult result = calibrate(model(), good, folder_ / "p.uad",
                                           {"--part-of", rule, "--json", folder_ / "p.json"});
    EXPECT_EQ(result.code, 0) << result.err;
    return read_json(folder_ / "p.json")["facts"]["promise"]["samples"].get<int>();
  };
  EXPECT_EQ(samples(folder_ / "parts", "folder"), 2);
  EXPECT_EQ(samples(image("good"), "frames:2"), 2);
  EXPECT_EQ(samples(image("good"), "frame"), 4);
}

TEST_F(Uad, CalibratingOnTheTrainingFramesIsSaidToPromiseNothing) {
  const fs::path output = folder_ / "t.uad";
  const ProgramResult result =
      calibrate(model(), (fs::path(data()) / "train" / "good").string(), output, {});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the very frames that the model was trained on"));
  EXPECT_THAT(run_uad({"info", output}).out, HasSubstr("nothing is promised"));
  EXPECT_THAT(calibrate(model(), image("good"), output, {}).err, Not(HasSubstr("WARNING")));
}

TEST_F(Uad, FramesOfAVideoAreSaidToBeNearCopies) {
  const fs::path video = test::shared_data("video/bottle-detection.mp4");
  if (video.empty()) GTEST_SKIP() << "needs the shared data: set UAD_SHARED_DATA";
  const std::string output = folder_ / "v.uad";
  const std::vector<std::string> frames{"--frames", "0-19"};
  const ProgramResult each = calibrate(model(), video, output, frames);
  ASSERT_EQ(each.code, 0) << each.err;
  EXPECT_THAT(each.err, HasSubstr("--part-of frames:N"));
  const ProgramResult parts =
      calibrate(model(), video, output, {"--frames", "0-19", "--part-of", "frames:8"});
  EXPECT_THAT(parts.err, Not(HasSubstr("WARNING")));
  EXPECT_THAT(parts.err, HasSubstr("there were 2;"));
  EXPECT_THAT(parts.err, HasSubstr("frames of an incomplete part: 4"));
}

TEST_F(Uad, CalibrateTakesLabelledSets) {
  const std::string output = folder_ / "y.uad";
  ASSERT_EQ(calibrate(model(), data(), output, {"--rule", "f1"}).code, 0);
  EXPECT_THAT(run_uad({"info", output}).out, HasSubstr("F1-optimal on a labelled set"));
  ASSERT_EQ(calibrate(model(), data(), output, {"--rule", "recall", "--recall", "1"}).code, 0);
  EXPECT_THAT(run_uad({"info", output}).out, HasSubstr("at least 100 % of the defects"));
  const ProgramResult predict =
      run_uad({"predict", "--model", output, image("stain"), "--json", folder_ / "p.json"});
  for (const json& one : read_json(folder_ / "p.json")) EXPECT_EQ(one["verdict"], "REJECT");
}

TEST_F(Uad, CalibrateRefusesContradictions) {
  struct Case {
    std::string data;
    std::vector<std::string> options;
    int code;
    const char* message;
  };
  const std::string good = image("good");
  fs::create_directories(folder_ / "empty");
  test::write_bytes(folder_ / "broken" / "0.png", "no picture");
  const std::string output = folder_ / "out.uad";
  for (const Case& wrong :
       {Case{good, {"--false-reject-rate", "0"}, 2, "above 0 and below 1"},
        Case{good, {"--false-reject-rate", "1"}, 2, "above 0 and below 1"},
        Case{good, {"--confidence", "1"}, 2, "\"confidence\" must be above 0"},
        Case{good, {"--part-of", "pair"}, 2, "frames:N"},
        Case{good, {"--rule", "recall"}, 2, "needs --recall"},
        Case{good, {"--recall", "0.9"}, 2, "--rule recall"},
        Case{data(), {"--rule", "recall", "--recall", "0"}, 1, "above 0"},
        Case{data(), {"--rule", "f1", "--false-reject-rate", "0.1"}, 2, "f1"},
        Case{data(), {}, 2, "test/good"}, Case{good, {"--rule", "f1"}, 1, "4 good and 0 defective"},
        Case{folder_ / "empty", {}, 1, "holds no image"},
        Case{folder_ / "broken", {}, 1, "could be read"}, Case{"/nowhere", {}, 1, "/nowhere"},
        Case{good, {"--part-of", "frames:5"}, 1, "not one whole part"}}) {
    const ProgramResult result = calibrate(model(), wrong.data, output, wrong.options);
    EXPECT_EQ(result.code, wrong.code) << wrong.message << result.err;
    EXPECT_THAT(result.err, HasSubstr(wrong.message));
    EXPECT_FALSE(fs::exists(output)) << wrong.message;
  }
}

TEST_F(Uad, AFailedCalibrationLeavesTheModelWhole) {
  const fs::path file = folder_ / "line" / "model.uad";
  fs::create_directories(file.parent_path());
  fs::copy(model(), file);
  const std::string before = test::read_bytes(file);
  const ProgramResult full =
      calibrate(file, image("good"), file, {}, "trap '' XFSZ; ulimit -f 16;");
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("model.uad"));
  EXPECT_EQ(test::read_bytes(file), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 1);
  test::write_bytes(file, before.substr(0, before.size() / 2));
  const ProgramResult cut = calibrate(file, image("good"), folder_ / "new.uad", {});
  EXPECT_EQ(cut.code, 1);
  EXPECT_THAT(cut.err, HasSubstr("model.uad"));
  EXPECT_FALSE(fs::exists(folder_ / "new.uad"));
}

TEST_F(Uad, TrainingMayPromiseOnItsHeldOutImages) {
  const std::string output = folder_ / "y.uad";
  const ProgramResult result = train({"--output", output, "--false-reject-rate", "0.05"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the promise holds for this very model"));
  EXPECT_THAT(run_uad({"info", output}).out, HasSubstr("5 % needs 59 independent good frames"));
  const ProgramResult both =
      train({"--output", output, "--false-reject-rate", "0.05", "--calibrate-on", "test"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("Leave out one"));
}

}  // namespace
}  // namespace uad

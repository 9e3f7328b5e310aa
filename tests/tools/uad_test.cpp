// SPDX-License-Identifier: LGPL-2.1-or-later
// The `uad` program from outside: forms, exit codes, files, errors.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_disk.h"
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

TEST_F(Uad, HelpOfEveryCommandHasExamples) {
  EXPECT_EQ(run_uad({"--help"}).code, 0);
  for (const char* command : {"train", "calibrate", "eval", "report", "replay", "predict", "info",
                              "bench", "tune", "make-lists", "demo", "draw-mura"}) {
    const ProgramResult result = run_uad({command, "--help"});
    EXPECT_EQ(result.code, 0) << command;
    EXPECT_THAT(result.out, HasSubstr("Examples:")) << command;
    EXPECT_THAT(result.out, HasSubstr("--config")) << command;
  }
}

TEST_F(Uad, WrongUsageIsExitCode2) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{},
                                               {"trian"},
                                               {"train", "--rezise", "3"},
                                               {"train"},
                                               {"train", "--data", data(), "--seed", "x"},
                                               {"train", "--method", "nothing"},
                                               {"calibrate", "--data", data()},
                                               {"calibrate", "--model", model()},
                                               {"eval", "--data", data()},
                                               {"eval", "--gallery", "-1"},
                                               {"report"},
                                               {"report", "run.json"},
                                               {"report", "--output", "x.html"},
                                               {"replay"},
                                               {"predict", "--model", model()},
                                               {"info"}}) {
    const ProgramResult result = run_uad(args);
    EXPECT_EQ(result.code, 2) << ::testing::PrintToString(args) << result.err;
    EXPECT_THAT(result.err, HasSubstr("uad: "));
  }
  EXPECT_THAT(run_uad({"trian"}).err, HasSubstr("Did you mean \"train\"?"));
  EXPECT_THAT(run_uad({"train", "--rezise", "3"}).err, HasSubstr("--resize"));
}

TEST_F(Uad, YamlGivesOptionsAndTheCommandLineWins) {
  test::write_bytes(folder_ / "x.yaml",
                    "method: coreset\nk: 7\nseed: 9\nresize: [64, 128]\nbackbone: gabor\n"
                    "num_workers: 4\nmodel_path: other.uad\n");
  const std::string output = folder_ / "y.uad";
  const ProgramResult result = run_uad({"train", "--config", folder_ / "x.yaml", "--data", data(),
                                        "--seed", "4", "--output", output});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("reduction: coreset"));
  EXPECT_THAT(result.err, HasSubstr("\"num_workers\" has no effect"));
  ASSERT_EQ(run_uad({"info", output, "--json", folder_ / "i.json"}).code, 0);
  const json info = read_json(folder_ / "i.json");
  EXPECT_EQ(info["options"]["k"], 7);
  EXPECT_EQ(info["training"]["seed"], 4);
  const ProgramResult shown = run_uad({"info", output});
  EXPECT_THAT(shown.out, HasSubstr("resize 128x64"));
}

TEST_F(Uad, QualityInspectorsOtherReductionsArePadim) {
  const std::string output = folder_ / "y.uad";
  const ProgramResult result = train({"--method", "h_sample", "--output", output});
  ASSERT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(run_uad({"info", output, "--json", folder_ / "i.json"}).code, 0);
  const json info = read_json(folder_ / "i.json");
  EXPECT_EQ(info["method"], "padim");
  EXPECT_EQ(info["options"]["reduction"], "h_sample");
  EXPECT_EQ(info["options"]["n_features"], 5);  // --k there
  ASSERT_EQ(
      run_uad({"eval", "--model", output, "--data", data(), "--json", folder_ / "e.json"}).code, 0);
  EXPECT_GT(read_json(folder_ / "e.json")["image_auroc"], 0.5);
}

TEST_F(Uad, TrainingEvaluatesWhereThereAreTestImages) {
  const std::vector<std::string> args{
      "train",    "--backbone",      "gabor",  "--resize",         "64",    "--k", "5",
      "--output", folder_ / "y.uad", "--json", folder_ / "s.json", "--data"};
  const auto train_on = [&](const std::string& data, std::vector<std::string> more) {
    more.insert(more.begin(), data);
    more.insert(more.begin(), args.begin(), args.end());
    return run_uad(more);
  };
  ASSERT_EQ(train_on(data(), {}).code, 0);
  EXPECT_TRUE(read_json(folder_ / "s.json")["evaluation"]["image_auroc"].is_number());
  ASSERT_EQ(train_on(data(), {"--do-eval", "false"}).code, 0);
  EXPECT_FALSE(read_json(folder_ / "s.json").contains("evaluation"));
  const std::string good_only = *shared_ / "set" / "train" / "good";
  ASSERT_EQ(train_on(good_only, {}).code, 0);
  EXPECT_FALSE(read_json(folder_ / "s.json").contains("evaluation"));
  const ProgramResult asked = train_on(good_only, {"--do-eval"});
  EXPECT_EQ(asked.code, 2);
  EXPECT_THAT(asked.err, HasSubstr("needs test images"));
}

TEST_F(Uad, CrossValidationNeedsAMethodThatLearnsFromLabels) {
  const ProgramResult result = train({"--output", folder_ / "never.uad", "--n-cv-folds", "2"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("learns from good images only"));
  EXPECT_FALSE(fs::exists(folder_ / "never.uad"));
}

TEST_F(Uad, RatioIsKInPercent) {
  const std::string output = folder_ / "y.uad";
  ASSERT_EQ(train({"--output", output, "--ratio", "0.03"}).code, 0);
  ASSERT_EQ(run_uad({"info", output, "--json", folder_ / "i.json"}).code, 0);
  EXPECT_EQ(read_json(folder_ / "i.json")["options"]["k"], 3);
}

TEST_F(Uad, EvalWritesEveryMetric) {
  const std::string file = folder_ / "m.json";
  ASSERT_EQ(run_uad({"eval", "--model", model(), "--data", data(), "--json", file}).code, 0);
  const json metrics = read_json(file);
  for (const char* key : {"image_auroc", "image_ap", "image_f1", "image_threshold", "pixel_auroc",
                          "pixel_ap", "pixel_f1", "pixel_pro", "ms_per_image"}) {
    EXPECT_TRUE(metrics[key].is_number()) << key;
  }
  EXPECT_EQ(metrics["counts"]["good"], 4);
  EXPECT_EQ(metrics["counts"]["kinds"]["stain"], 4);
  EXPECT_GT(metrics["pixel_auroc"], 0.9);
  EXPECT_GT(metrics["image_auroc"], 0.9);
  EXPECT_TRUE(metrics["undefined"].empty());
}

TEST_F(Uad, ReportsAreMadeAtOnceAndFromStoredRuns) {
  const fs::path first = folder_ / "first.json";
  const fs::path page = folder_ / "made" / "page.html";
  const ProgramResult result =
      run_uad({"eval", "--model", model(), "--data", data(), "--json", first, "--report", page});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string html = test::read_bytes(page);  // too long to be printed where a check fails
  EXPECT_NE(html.find("Inspection report: model"), std::string::npos);
  EXPECT_NE(html.find("stain/"), std::string::npos);  // the nearest to a miss
  EXPECT_EQ(html.find("http:"), std::string::npos);
  EXPECT_EQ(read_json(first)["gallery"]["defective"].size(), 4U);
  fs::copy(first, folder_ / "second.json");
  const fs::path both = folder_ / "both.html";
  ASSERT_EQ(
      run_uad({"report", first, folder_ / "second.json", "--output", both, "--title", "A & B"})
          .code,
      0);
  const std::string compared = test::read_bytes(both);
  EXPECT_NE(compared.find("<h1>A &amp; B</h1>"), std::string::npos);
  EXPECT_NE(compared.find("model (second)"), std::string::npos);
}

TEST_F(Uad, ReportRefusesWhatIsNoRun) {
  const std::string page = folder_ / "page.html";
  const ProgramResult model_file = run_uad({"report", model(), "--output", page});
  EXPECT_EQ(model_file.code, 1);
  EXPECT_THAT(model_file.err, HasSubstr("uad eval --json"));
  EXPECT_EQ(run_uad({"report", "/nowhere/run.json", "--output", page}).code, 1);
  EXPECT_FALSE(fs::exists(page));
  test::write_bytes(folder_ / "run.json", "{}");
  const ProgramResult onto_itself =
      run_uad({"report", folder_ / "run.json", "--output", folder_ / "run.json"});
  EXPECT_EQ(onto_itself.code, 2);
  EXPECT_THAT(onto_itself.err, HasSubstr("is one of the runs"));
  EXPECT_EQ(test::read_bytes(folder_ / "run.json"), "{}");
}

TEST_F(Uad, PlacesThatCannotBeWrittenAreFoundBeforeTheWork) {
  test::write_bytes(folder_ / "file", "");
  for (const char* option : {"--json", "--report"}) {
    const ProgramResult folder =
        run_uad({"eval", "--model", model(), "--data", data(), option, folder_.path()});
    EXPECT_EQ(folder.code, 2) << option;
    EXPECT_THAT(folder.err, HasSubstr(option));
    const ProgramResult below_a_file =
        run_uad({"eval", "--model", model(), "--data", data(), option, folder_ / "file" / "x"});
    EXPECT_EQ(below_a_file.code, 1) << option;
    EXPECT_THAT(below_a_file.err, Not(HasSubstr("AUROC"))) << option;
  }
}

TEST_F(Uad, NamesThatAreNoUtf8ReachJsonAndReport) {
  const fs::path set = copy_of_data();
  fs::rename(set / "test" / "good" / "0.png", set / "test" / "good" / "\xE9.png");
  const ProgramResult result = run_uad({"eval", "--model", model(), "--data", set, "--json",
                                        folder_ / "m.json", "--report", folder_ / "m.html"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(test::read_bytes(folder_ / "m.json"), HasSubstr("good/\xEF\xBF\xBD.png"));
}

TEST_F(Uad, StandardOutputGetsNoPictures) {
  const ProgramResult result =
      run_uad({"eval", "--model", model(), "--data", data(), "--json", "-"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_FALSE(json::parse(result.out).contains("gallery"));
}

TEST_F(Uad, EvalOfOnePartSeesThatPartOnly) {
  const std::string file = folder_ / "m.json";
  ASSERT_EQ(
      run_uad({"eval", "--model", model(), "--data", data(), "--part", "1/2", "--json", file}).code,
      0);
  EXPECT_EQ(read_json(file)["counts"]["good"], 2);
  EXPECT_NE(run_uad({"eval", "--model", model(), "--data", data(), "--part", "3/2"}).code, 0);
}

TEST_F(Uad, EvalOfOneClassIsUndefinedNotZero) {
  const fs::path set = copy_of_data();
  fs::remove_all(set / "test" / "stain");
  const std::string file = folder_ / "m.json";
  ASSERT_EQ(run_uad({"eval", "--model", model(), "--data", set, "--json", file}).code, 0);
  const json metrics = read_json(file);
  EXPECT_TRUE(metrics["image_auroc"].is_null());
  EXPECT_THAT(metrics["undefined"]["image_auroc"].get<std::string>(), HasSubstr("no defective"));
}

TEST_F(Uad, EvalCountsMissingMasks) {
  const fs::path set = copy_of_data();
  fs::remove(set / "ground_truth" / "stain" / "1_mask.png");
  const std::string file = folder_ / "m.json";
  const ProgramResult result = run_uad({"eval", "--model", model(), "--data", set, "--json", file});
  ASSERT_EQ(result.code, 0);
  EXPECT_EQ(read_json(file)["counts"]["missing_masks"], 1);
  EXPECT_THAT(result.err, HasSubstr("1 without mask"));
}

TEST_F(Uad, TrainingSkipsAndCountsWhatCannotBeRead) {
  const fs::path set = copy_of_data();
  const std::string whole = test::read_bytes(set / "train" / "good" / "3.png");
  test::write_bytes(set / "train" / "good" / "3.png", whole.substr(0, whole.size() / 2));
  const std::string summary = folder_ / "s.json";
  const ProgramResult result = run_uad({"train", "--data", set, "--backbone", "gabor", "--resize",
                                        "128", "--output", folder_ / "y.uad", "--json", summary});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_json(summary)["images"], 11);
  EXPECT_EQ(read_json(summary)["skipped"], 1);
  EXPECT_THAT(result.err, HasSubstr("3.png"));
  const ProgramResult strict = run_uad({"train", "--data", set, "--backbone", "gabor", "--resize",
                                        "128", "--output", folder_ / "z.uad", "--strict"});
  EXPECT_EQ(strict.code, 1);
  EXPECT_FALSE(fs::exists(folder_ / "z.uad"));
}

TEST_F(Uad, PredictGivesOneObjectAnImage) {
  const std::string file = folder_ / "p.json";
  const ProgramResult result =
      run_uad({"predict", "--model", model(), image("good"), image("stain/0.png"), "--json", file});
  ASSERT_EQ(result.code, 0) << result.err;
  const json list = read_json(file);
  ASSERT_EQ(list.size(), 5U);
  for (const json& one : list) {
    for (const char* key : {"path", "score", "normalised_score", "verdict", "regions"}) {
      EXPECT_TRUE(one.contains(key)) << key;
    }
  }
  EXPECT_EQ(list[4]["path"], image("stain/0.png"));
}

TEST_F(Uad, PredictFailsOnRejectOnlyWhenAsked) {
  ASSERT_EQ(run_uad({"info", model(), "--json", folder_ / "i.json"}).code, 0);
  const double low = read_json(folder_ / "i.json")["image_norm"]["lo"];
  const std::string strict = fmt::format("{}", low * 1.0001);  // what is higher is rejected
  std::vector<std::string> args{"predict", "--model", model(), image("stain"), "--reject-threshold",
                                strict};
  const ProgramResult plain = run_uad(args);
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("REJECT"));
  args.push_back("--fail-on-reject");
  EXPECT_EQ(run_uad(args).code, 3);
}

TEST_F(Uad, PredictSavesMapsAndPictures) {
  const fs::path maps = folder_ / "maps";
  ASSERT_EQ(run_uad({"predict", "--model", model(), image("stain"), "--save-maps", maps}).code, 0);
  const std::string bytes = test::read_bytes(maps / "0.npy");
  EXPECT_THAT(bytes, HasSubstr("'shape': (128, 128)"));
  EXPECT_EQ(bytes.size(), 128U + 128 * 128 * 4);
  const Image picture = read_image(maps / "0_heatmap.png");
  EXPECT_EQ(picture.width, 256);
}

TEST_F(Uad, PredictDrawsTheFirstPictures) {
  const fs::path pictures = folder_ / "pictures";
  ASSERT_EQ(run_uad({"predict", "--model", model(), image("stain"), "--gallery", pictures,
                     "--n-samples", "2", "--show-heatmap"})
                .code,
            0);
  EXPECT_GT(read_image(pictures / "0.png").height, 256);  // the title is above the frame
  EXPECT_TRUE(fs::exists(pictures / "1.png"));
  EXPECT_FALSE(fs::exists(pictures / "2.png"));
}

TEST_F(Uad, PredictRefusesABrokenImage) {
  const std::string whole = test::read_bytes(image("good/0.png"));
  test::write_bytes(folder_ / "broken.png", whole.substr(0, whole.size() / 2));
  const ProgramResult result = run_uad({"predict", "--model", model(), folder_ / "broken.png"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("broken.png"));
}

TEST_F(Uad, InfoSaysWhereThresholdsComeFromAndVerifies) {
  const ProgramResult result = run_uad({"info", model(), "--verify"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* part : {"mean + 3 sd", "5 of 12 images", "self-test", "patchcore", "gabor",
                           "hashes and self-test hold"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
}

TEST_F(Uad, ADamagedModelIsRefused) {
  std::string bytes = test::read_bytes(model());
  bytes[bytes.size() - 100] ^= 1;
  test::write_bytes(folder_ / "bad.uad", bytes);
  const ProgramResult result =
      run_uad({"predict", "--model", folder_ / "bad.uad", image("good/0.png")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("bad.uad"));
}

TEST_F(Uad, MissingThingsAreNamed) {
  const ProgramResult weights =
      run_uad({"train", "--data", data(), "--backbone", "resnet18", "--weights-dir", folder_.path(),
               "--output", folder_ / "y.uad"});
  EXPECT_EQ(weights.code, 1);
  EXPECT_THAT(weights.err, HasSubstr("resnet18"));
  EXPECT_THAT(weights.err, HasSubstr("fetch-weights"));
  EXPECT_THAT(run_uad({"train", "--data", "/nowhere"}).err, HasSubstr("/nowhere"));
  EXPECT_EQ(run_uad({"train", "--data", "/nowhere"}).code, 1);
  fs::create_directories(folder_ / "empty");
  const ProgramResult empty = run_uad({"train", "--data", folder_ / "empty"});
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.err, HasSubstr("empty"));
}

TEST_F(Uad, AFullDiskLeavesTheOldModelAndNoPart) {
  const fs::path output = folder_ / "line" / "model.uad";
  fs::create_directories(output.parent_path());
  fs::copy(model(), output);
  const std::string before = test::read_bytes(output);
  const ProgramResult result = run_uad(
      {"train", "--data", data(), "--backbone", "gabor", "--resize", "128", "--output", output},
      "trap '' XFSZ; ulimit -f 16;");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("model.uad"));
  EXPECT_EQ(test::read_bytes(output), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(output.parent_path()), {}), 1);
}

TEST_F(Uad, AReallyFullDiskLeavesTheOldModelWhole) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << disk.kWhyNot;
  test::write_bytes(disk / "model.uad", "old");
  disk.fill(16 << 10);
  const ProgramResult result = train({"--output", disk / "model.uad"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr((disk / "model.uad").string()));
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
  EXPECT_EQ(test::read_bytes(disk / "model.uad"), "old");
  EXPECT_EQ(disk.entries(), 2);
}

TEST_F(Uad, ErrorsAreOneLineAndNoBarIsDrawnIntoFiles) {
  const ProgramResult result = run_uad({"info", "/nowhere/model.uad"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
  EXPECT_THAT(train({"--output", folder_ / "y.uad"}).err, Not(HasSubstr("\r")));
}

TEST_F(Uad, GroupsTrainAndEvaluateEveryCategory) {
  fs::create_directories(folder_ / "root");
  for (const char* name : {"tile", "own_product"}) {
    fs::copy(data(), folder_ / "root" / name, fs::copy_options::recursive);
  }
  const fs::path models = folder_ / "models";
  const fs::path root = folder_ / "root";
  const ProgramResult trained = run_uad({"train", "--data", root, "--category", "all", "--backbone",
                                         "gabor", "--resize", "64", "--output", models});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(fs::exists(models / "tile.uad"));
  EXPECT_TRUE(fs::exists(models / "own_product.uad"));
  const std::string file = folder_ / "m.json";
  ASSERT_EQ(
      run_uad({"eval", "--model", models, "--data", root, "--category", "all", "--json", file})
          .code,
      0);
  const json metrics = read_json(file);
  EXPECT_EQ(metrics["categories"].size(), 2U);
  EXPECT_TRUE(metrics["mean"]["image_auroc"].is_number());
  EXPECT_EQ(run_uad({"train", "--data", root, "--category", "objects"}).code, 1);
}

TEST_F(Uad, LabelledSetsMayCalibrate) {
  const std::string output = folder_ / "y.uad";
  ASSERT_EQ(train({"--output", output, "--calibrate-on", "test"}).code, 0);
  EXPECT_THAT(run_uad({"info", output}).out, HasSubstr("F1-optimal"));
}

}  // namespace
}  // namespace uad

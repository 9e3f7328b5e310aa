// SPDX-License-Identifier: LGPL-2.1-or-later
// uad train --protocol and --add: one model that learns products one after the other.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "core/files/sha256.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ProgramResult;
using test::read_bytes;
using test::run_uad;
using test::write_bytes;
using ::testing::HasSubstr;
using ::testing::Not;

json read_json(const fs::path& file) { return json::parse(read_bytes(file)); }

/// The demonstration part in the colours of a product: its channels are turned and inverted.
Image in_colours(Image image, int product) {
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    std::rotate(&image.pixels[i], &image.pixels[i + static_cast<std::size_t>(product) % 3],
                &image.pixels[i] + 3);
    if (product != 1) continue;
    for (std::size_t c = i; c < i + 3; ++c) {
      image.pixels[c] = static_cast<std::uint8_t>(255 - image.pixels[c]);
    }
  }
  return image;
}

void draw(const fs::path& root, const std::string& part, demo::Defect defect, int product,
          int count) {
  demo::ProductionLine line(static_cast<std::uint64_t>(product) * 100 + part.size(),
                            [defect](int) { return defect; });
  fs::create_directories(root / part);
  fs::create_directories(root / "ground_truth/stain");
  for (int i = 0; i < count; ++i) {
    const demo::Shot shot = line.shoot({256, 256}, i * demo::ProductionLine::kPitch, 1.0);
    write_png(root / part / fmt::format("{}.png", i), in_colours(shot.image, product));
    if (defect == demo::Defect::kNone) continue;
    write_png(root / "ground_truth/stain" / fmt::format("{}_mask.png", i), shot.mask);
  }
}

/// Three products, of which two are learnt first, and a whole run over them.
class ProtocolRuns : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new test::TempDir();
    int product = 0;
    for (const char* name : {"data/plate", "data/negative", "elsewhere/turned"}) {
      draw(*shared_ / name, "train/good", demo::Defect::kNone, product, 8);
      draw(*shared_ / name, "test/good", demo::Defect::kNone, product, 3);
      draw(*shared_ / name, "test/stain", demo::Defect::kStain, product, 3);
      ++product;
    }
    write_bytes(*shared_ / "two.yaml",
                "name: two steps\ndataset: drawn\ntasks:\n- [plate, negative]\n- [turned]\n"
                "paths: {turned: ../elsewhere/turned}\n");
    const ProgramResult run = run_protocol(*shared_ / "whole", {});
    ASSERT_EQ(run.code, 0) << run.err;
    said_ = run.err;
  }
  static void TearDownTestSuite() { delete shared_; }

  static std::vector<std::string> protocol_args(const std::string& output,
                                                const std::vector<std::string>& more) {
    std::vector<std::string> args{"train"};
    for (const auto& [option, value] :
         std::vector<std::pair<std::string, std::string>>{{"--method", "padim"},
                                                          {"--protocol", *shared_ / "two.yaml"},
                                                          {"--data", *shared_ / "data"},
                                                          {"--output", output},
                                                          {"--backbone", "gabor"},
                                                          {"--resize", "64x64"}}) {
      if (std::ranges::find(more, option) == more.end()) {
        args.insert(args.end(), {option, value});
      }
    }
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  static ProgramResult run_protocol(const std::string& output,
                                    const std::vector<std::string>& more) {
    return run_uad(protocol_args(output, more));
  }
  /// A copy of the whole run that a test may damage.
  fs::path copy_of_run() const {
    fs::copy(*shared_ / "whole", folder_ / "run", fs::copy_options::recursive);
    return folder_ / "run";
  }
  static void expect_refused(const std::vector<std::string>& more,
                             const std::vector<std::string>& words, int code = 2) {
    const test::TempDir folder;
    const ProgramResult run = run_protocol(folder / "never", more);
    EXPECT_EQ(run.code, code) << ::testing::PrintToString(more) << run.err;
    for (const std::string& word : words) EXPECT_THAT(run.err, HasSubstr(word));
    EXPECT_FALSE(fs::exists(folder / "never")) << ::testing::PrintToString(more);
  }

  inline static test::TempDir* shared_ = nullptr;
  inline static std::string said_;
  test::TempDir folder_;
};

TEST_F(ProtocolRuns, EveryTaskIsJudgedOnEveryProductLearntSoFar) {
  const json record = read_json(*shared_ / "whole/protocol.json");
  ASSERT_EQ(record["tasks"].size(), 2U);
  EXPECT_EQ(record["tasks"][0]["learnt"], json({"plate", "negative"}));
  EXPECT_EQ(record["tasks"][0]["images"], 16);
  EXPECT_EQ(record["tasks"][1]["images"], 8);
  ASSERT_EQ(record["tasks"][0]["results"].size(), 2U);
  ASSERT_EQ(record["tasks"][1]["results"].size(), 3U);
  EXPECT_EQ(record["tasks"][1]["results"][2]["product"], "turned");
  for (const json& task : record["tasks"]) {
    for (const json& result : task["results"]) {
      EXPECT_GT(result["image_auroc"].get<double>(), 0.4) << result;
      EXPECT_GT(result["pixel_auroc"].get<double>(), 0.5) << result;
    }
  }
  EXPECT_EQ(record["method"], "padim on gabor");
}

TEST_F(ProtocolRuns, FiguresAreThoseOfTheMatrix) {
  const json record = read_json(*shared_ / "whole/protocol.json");
  const auto at = [&](int task, int product) {
    return record["tasks"][task]["results"][product]["pixel_auroc"].get<double>();
  };
  const double before = (at(0, 0) + at(0, 1)) / 2;
  const double after = (at(1, 0) + at(1, 1) + at(1, 2)) / 3;
  const json& figures = record["figures"]["pixel_auroc"];
  EXPECT_NEAR(figures["acc"].get<double>(), (before + after) / 2, 1e-12);
  EXPECT_NEAR(figures["fm"].get<double>(), before - after, 1e-12);
  EXPECT_NEAR(figures["fm_obj"].get<double>(), (at(0, 0) - at(1, 0) + at(0, 1) - at(1, 1)) / 2,
              1e-12);
  EXPECT_THAT(said_,
              HasSubstr(fmt::format("FM by product {:.4f}", figures["fm_obj"].get<double>())));
  EXPECT_THAT(said_, HasSubstr(fmt::format("{:>10.4f}", at(1, 2))));
}

TEST_F(ProtocolRuns, EveryTaskGoesOnFromTheModelBeforeAndTheLastIsTheFinalOne) {
  const fs::path run = *shared_ / "whole";
  const Manifest last = read_manifest(run / "task-1.uad");
  EXPECT_EQ(last.training.continued_from, sha256_of_file(run / "task-0.uad"));
  EXPECT_EQ(last.training.images, 24);
  EXPECT_EQ(read_bytes(run / "final.uad"), read_bytes(run / "task-1.uad"));
  EXPECT_EQ(read_json(run / "protocol.json")["tasks"][1]["model_sha256"],
            sha256_of_file(run / "task-1.uad"));
}

TEST_F(ProtocolRuns, TheReportHoldsTheMatrixAndTheCurve) {
  const std::string page = read_bytes(*shared_ / "whole/protocol.html");
  for (const char* part : {"Forgetting curve", "two steps", "task&nbsp;1", "turned", "<svg"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST_F(ProtocolRuns, WhatIsDoneIsNotDoneAgain) {
  const fs::path run = copy_of_run();
  const ProgramResult resumed = run_protocol(run, {"--resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("learning")));
  EXPECT_THAT(resumed.err, Not(HasSubstr("task 1: mean")));
  EXPECT_EQ(read_json(run / "protocol.json"), read_json(*shared_ / "whole/protocol.json"));
}

TEST_F(ProtocolRuns, OnlyTheProductThatWasNotJudgedIsJudged) {
  const fs::path run = copy_of_run();
  json record = read_json(run / "protocol.json");
  const json whole = record;
  record["tasks"][1]["results"].erase(2);
  record["tasks"][1]["results"][0]["pixel_auroc"] = 0.125;
  write_bytes(run / "protocol.json", record.dump());
  const ProgramResult resumed = run_protocol(run, {"--resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const json results = read_json(run / "protocol.json")["tasks"][1]["results"];
  EXPECT_EQ(results[2], whole["tasks"][1]["results"][2]);
  EXPECT_EQ(results[0]["pixel_auroc"], 0.125);
}

TEST_F(ProtocolRuns, ALaterTaskNeedsNoImageOfEarlierOnes) {
  const fs::path run = copy_of_run();
  const json whole = read_json(run / "protocol.json");
  fs::remove(run / "task-1.uad");
  fs::copy(*shared_ / "data", folder_ / "data", fs::copy_options::recursive);
  fs::copy(*shared_ / "elsewhere", folder_ / "elsewhere", fs::copy_options::recursive);
  for (const char* product : {"plate", "negative"}) {
    fs::remove_all(folder_ / "data" / product / "train");
  }
  const ProgramResult resumed = run_protocol(run, {"--resume", "--data", folder_ / "data"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("task-1.uad\" is not there"));
  EXPECT_THAT(resumed.err, Not(HasSubstr("task 0 of 2: learning")));
  const json again = read_json(run / "protocol.json");
  EXPECT_EQ(again["tasks"][1]["results"], whole["tasks"][1]["results"]);
  EXPECT_EQ(again["figures"], whole["figures"]);
}

TEST_F(ProtocolRuns, AnInterruptLeavesWhatResumeGoesOnFrom) {
  const fs::path run = folder_ / "run";
  std::string command = std::getenv("UAD_PROGRAM");
  for (const std::string& word : protocol_args(run, {})) command += " '" + word + "'";
  uad::testing::Background broken(command + " 2>'" + (folder_ / "said").string() + "'");
  ASSERT_TRUE(uad::testing::eventually([&] { return fs::exists(run / "protocol.json"); }));
  EXPECT_EQ(broken.stop(SIGINT), 1);
  EXPECT_THAT(read_bytes(folder_ / "said"),
              HasSubstr("Ended in task 0 of 2. The same command with --resume"));
  EXPECT_FALSE(fs::exists(run / "final.uad"));
  const ProgramResult resumed = run_protocol(run, {"--resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(read_json(run / "protocol.json")["figures"],
            read_json(*shared_ / "whole/protocol.json")["figures"]);
}

TEST_F(ProtocolRuns, AnotherRunIsNotGoneOnWith) {
  const fs::path run = copy_of_run();
  const auto expect_other = [&](const std::vector<std::string>& more, const std::string& why) {
    std::vector<std::string> args{"--resume"};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult resumed = run_protocol(run, args);
    EXPECT_EQ(resumed.code, 2) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr(why));
  };
  expect_other({"--seed", "4"}, "seed is 4, but was 3");
  expect_other({"--n-features", "20"}, "options.n_features is 20");
  expect_other({"--resize", "32x32"}, "input.resize");
  expect_other({"--method", "patchcore"}, "method is \"patchcore\", but was \"padim\"");
  write_bytes(folder_ / "three.yaml", "tasks: [[plate], [negative]]\n");
  expect_other({"--protocol", folder_ / "three.yaml"}, "its protocol is another");
  write_bytes(run / "task-1.uad", read_bytes(run / "task-0.uad"));
  const ProgramResult changed = run_protocol(run, {"--resume"});
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.err, HasSubstr("is not the model that was judged"));
  const ProgramResult nothing = run_protocol(folder_ / "new", {"--resume"});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("nothing to go on from"));
}

TEST_F(ProtocolRuns, AForgottenResumeCostsNothing) {
  const fs::path run = copy_of_run();
  const std::string model = read_bytes(run / "task-1.uad");
  write_bytes(run / "mine.txt", "stays");
  write_bytes(folder_ / "one.yaml", "tasks: [[plate]]\n");
  const ProgramResult anew = run_protocol(run, {"--protocol", folder_ / "one.yaml"});
  ASSERT_EQ(anew.code, 0) << anew.err;
  EXPECT_THAT(anew.err, HasSubstr("what an earlier run left"));
  EXPECT_EQ(read_bytes(run / "earlier/task-1.uad"), model);
  EXPECT_TRUE(fs::exists(run / "earlier/protocol.html"));
  EXPECT_FALSE(fs::exists(run / "task-1.uad"));
  EXPECT_TRUE(fs::exists(run / "mine.txt"));
}

TEST_F(ProtocolRuns, ATaskMayHaveOptionsOfItsOwn) {
  write_bytes(folder_ / "own.yaml",
              "tasks:\n- {products: [plate], options: {k: 20}}\n"
              "- {products: [negative], options: {bank-size: 40}}\n- [plate2]\n"
              "paths: {plate2: plate}\n");
  const std::vector<std::string> own{"--protocol", folder_ / "own.yaml", "--method", "patchcore"};
  const ProgramResult run = run_protocol(folder_ / "run", own);
  ASSERT_EQ(run.code, 0) << run.err;
  const auto option = [&](int task, const char* name) {
    return read_manifest(folder_ / fmt::format("run/task-{}.uad", task)).options[name];
  };
  EXPECT_EQ(option(0, "k"), 20);
  EXPECT_EQ(option(2, "k"), 20);
  EXPECT_EQ(option(1, "bank_size"), 40);
  EXPECT_EQ(option(2, "bank_size"), option(0, "bank_size"));
  write_bytes(folder_ / "late.yaml",
              "tasks:\n- [plate]\n- {products: [negative], options: {k: 20}}\n");
  expect_refused({"--protocol", folder_ / "late.yaml", "--method", "patchcore"},
                 {"Task 1", "\"k\"", "task 0"});
  write_bytes(folder_ / "typo.yaml", "tasks:\n- {products: [plate], options: {n_featurs: 20}}\n");
  expect_refused({"--protocol", folder_ / "typo.yaml"}, {"n_featurs", "n_features"});
}

TEST_F(ProtocolRuns, AProductWithoutTestImagesHasNoFigures) {
  draw(folder_ / "data/untested", "train/good", demo::Defect::kNone, 0, 6);
  write_bytes(folder_ / "p.yaml", "tasks: [[plate], [untested]]\npaths: {plate: " +
                                      (*shared_ / "data/plate").string() + "}\n");
  const ProgramResult run =
      run_protocol(folder_ / "run", {"--protocol", folder_ / "p.yaml", "--data", folder_ / "data"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("has no test images, so untested has no figures"));
  const json record = read_json(folder_ / "run/protocol.json");
  EXPECT_TRUE(record["tasks"][1]["results"][1]["image_auroc"].is_null());
  EXPECT_EQ(record["figures"]["image_auroc"]["left_out"], 1);
  EXPECT_EQ(record["figures"]["image_auroc"]["averages"][1],
            record["tasks"][1]["results"][0]["image_auroc"]);
  EXPECT_THAT(read_bytes(folder_ / "run/protocol.html"),
              HasSubstr("untested: figures shown as “–” are undefined"));
}

TEST_F(ProtocolRuns, WhatCannotRunIsRefusedBeforeTheWork) {
  expect_refused({"--method", "stfpm", "--backbone", "resnet18"},
                 {"stfpm cannot go on learning", "padim, patchcore"});
  expect_refused({"--protocol", "10-2"}, {"\"10-2\" is not known", "Did you mean"});
  expect_refused({"--protocol", "10-1"}, {"bottle", "cable", "transistor", "not there"}, 1);
  const std::string root = std::getenv("UAD_SOURCE_ROOT");
  expect_refused({"--protocol", root + "/configs/protocols/example.yaml"},
                 {"Protocol example needs", "capsule", "grid"}, 1);
  expect_refused({"--protocol", folder_ / "none.yaml"}, {"none.yaml\" cannot be opened"});
  write_bytes(folder_ / "twice.yaml", "tasks: [[plate], [plate]]\n");
  expect_refused({"--protocol", folder_ / "twice.yaml"}, {"\"plate\" is in task 0 and in task 1"});
  write_bytes(folder_ / "broken.yaml", "tasks: [[plate]\n");
  expect_refused({"--protocol", folder_ / "broken.yaml"}, {"broken.yaml", "line 2"});
  expect_refused({"--continue-from", "x.uad"}, {"--continue-from does not go with --protocol"});
  expect_refused({"--category", "plate"}, {"--category does not go with --protocol"});
  // a configuration serves single trainings as well
  write_bytes(folder_ / "single.yaml", "category: plate\nsave_path: elsewhere\n");
  expect_refused({"--config", folder_ / "single.yaml", "--protocol", folder_ / "none.yaml"},
                 {"none.yaml\" cannot be opened"});
  expect_refused({"--do-eval", "false"}, {"--do-eval does not go with --protocol"});
}

TEST_F(ProtocolRuns, TheFirstTaskMayBeTakenFromAnotherRun) {
  const fs::path run = folder_ / "run";
  const fs::path first = *shared_ / "whole/task-0.uad";
  const ProgramResult result = run_protocol(run, {"--first-task", first});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("task 0 of 2: learning")));
  EXPECT_THAT(result.err, HasSubstr("task 1 of 2: learning turned"));
  const json record = read_json(run / "protocol.json");
  const json whole = read_json(*shared_ / "whole/protocol.json");
  EXPECT_EQ(record["tasks"][0]["taken_from"], first.string());
  EXPECT_EQ(record["tasks"][0]["images"], 16);
  EXPECT_EQ(record["figures"], whole["figures"]);
  EXPECT_EQ(record["tasks"][0]["results"], whole["tasks"][0]["results"]);
  EXPECT_THAT(result.err, Not(HasSubstr("task 0: mean")));  // it has been judged, too
  EXPECT_EQ(record["tasks"][1]["model_sha256"], sha256_of_file(run / "task-1.uad"));
}

TEST_F(ProtocolRuns, AModelThatCannotStandForTheFirstTaskIsRefused) {
  const std::string first = *shared_ / "whole/task-0.uad";
  expect_refused({"--first-task", *shared_ / "whole/task-1.uad"}, {"went on from another model"});
  expect_refused({"--first-task", first, "--n-features", "20"}, {"its n_features is", "not 20"});
  expect_refused({"--first-task", first, "--resize", "32x32"}, {"it sees frames otherwise"});
  expect_refused({"--first-task", first, "--method", "patchcore"}, {"it is of method padim"});
  expect_refused({"--first-task", folder_ / "none.uad"}, {"none.uad"}, 1);
}

TEST_F(ProtocolRuns, GoesOnByItselfWhereItIsToldToOnce) {
  const fs::path run = copy_of_run();
  const ProgramResult again = run_protocol(run, {"--saver.auto_resume", "true"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, Not(HasSubstr("learning")));
  EXPECT_FALSE(fs::exists(run / "earlier"));
}

TEST_F(ProtocolRuns, PicturesOfTheScoresAreWrittenForEveryTask) {
  const fs::path run = copy_of_run();
  fs::remove(run / "task-1.uad");
  const ProgramResult result =
      run_protocol(run, {"--resume", "--vis-compound", folder_ / "strips",
                         "--evaluator.vis_single.save_dir", folder_ / "single"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Image strip = read_image(folder_ / "strips/task-1/turned/stain/0.png");
  EXPECT_EQ(strip.width, 256);
  EXPECT_EQ(strip.height, 4 * 256);
  EXPECT_EQ(read_image(folder_ / "strips/task-1/turned/good/2.png").height, 2 * 256);
  EXPECT_EQ(read_image(folder_ / "single/task-1/plate/stain/2.png").height, 256);
  expect_refused({"--vis-min-score", "2", "--vis-max-score", "1", "--vis-single", "x"},
                 {"--vis-min-score is 2", "not below"});
}

TEST_F(ProtocolRuns, SeveralRunsStandSideBySide) {
  write_bytes(folder_ / "joint.yaml",
              "name: joint\ntasks: [[plate, negative, turned]]\n"
              "paths: {turned: ../elsewhere/turned}\n");
  const ProgramResult joint =
      run_protocol(folder_ / "joint", {"--protocol", folder_ / "joint.yaml"});
  ASSERT_EQ(joint.code, 0) << joint.err;
  const std::string page = folder_ / "page.html";
  const ProgramResult report = run_uad({"report", *shared_ / "whole/protocol.json",
                                        folder_ / "joint/protocol.json", "--output", page});
  ASSERT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(read_bytes(page), HasSubstr("Side by side"));
  EXPECT_THAT(read_bytes(page), HasSubstr("class=\"best\""));
  EXPECT_THAT(read_bytes(page), Not(HasSubstr("do not compare")));
  write_bytes(folder_ / "other.json", "{}");
  const ProgramResult mixed = run_uad(
      {"report", *shared_ / "whole/protocol.json", folder_ / "other.json", "--output", page});
  EXPECT_EQ(mixed.code, 2);
  EXPECT_THAT(mixed.err, HasSubstr("Make two reports"));
}

/// A model in service that one product is added to.
class AddedProduct : public ProtocolRuns {
 protected:
  ProgramResult add(const std::vector<std::string>& more) const {
    std::vector<std::string> args{"train", "--add", (*shared_ / "elsewhere/turned").string()};
    args.insert(args.end(), more.begin(), more.end());
    return run_uad(args);
  }
};

TEST_F(AddedProduct, TheModelInServiceIsReplacedByOneThatKnowsMore) {
  const fs::path model = folder_ / "line.uad";
  fs::copy_file(*shared_ / "whole/task-0.uad", model);
  const ProgramResult result = add({"--output", model});
  ASSERT_EQ(result.code, 0) << result.err;
  const Manifest manifest = read_manifest(model);
  EXPECT_EQ(manifest.method, "padim");
  EXPECT_EQ(manifest.training.continued_from, sha256_of_file(*shared_ / "whole/task-0.uad"));
  EXPECT_EQ(manifest.training.images, 24);
  EXPECT_EQ(folder_.entries(), 1);  // nothing is left beside it
}

TEST_F(AddedProduct, WhatDoesNotFitIsRefusedAndChangesNothing) {
  const fs::path model = folder_ / "line.uad";
  fs::copy_file(*shared_ / "whole/task-0.uad", model);
  const auto expect_refused = [&](const std::vector<std::string>& more, const std::string& why) {
    const ProgramResult result = add(more);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(why));
    EXPECT_EQ(sha256_of_file(model), sha256_of_file(*shared_ / "whole/task-0.uad"));
  };
  expect_refused({"--output", folder_ / "none.uad"}, "There is no model");
  expect_refused({}, "--output is missing");
  expect_refused({"--output", model, "--data", "x"}, "--add and --data cannot go together");
  expect_refused({"--output", model, "--continue-from", model}, "--add and --continue-from cannot");
  expect_refused({"--output", model, "--protocol", "10-1"}, "--add and --protocol cannot");
  expect_refused({"--output", model, "--method", "patchcore"}, "is one of method padim");
}

TEST_F(AddedProduct, OneThatTheModelKnowsIsRefusedBeforeAnyImageIsRead) {
  const fs::path model = folder_ / "line.uad";
  const ProgramResult first =
      run_uad({"train", "--method", "iuf", "--data", *shared_ / "elsewhere/turned", "--output",
               model, "--backbone", "gabor", "--layers", "layer1,layer2,layer3", "--resize",
               "64x64", "--oasa-patch-size", "16", "--epochs", "1", "--do-eval", "false"});
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string before = sha256_of_file(model);
  const ProgramResult again = add({"--output", model});
  EXPECT_EQ(again.code, 2) << again.err;
  EXPECT_THAT(again.err, HasSubstr("Product \"turned\""));
  EXPECT_THAT(again.err, HasSubstr("knows already (turned)"));
  EXPECT_EQ(sha256_of_file(model), before);
}

}  // namespace
}  // namespace uad

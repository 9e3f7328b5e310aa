// SPDX-License-Identifier: LGPL-2.1-or-later
// `uad replay` says what a real run would have said.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/results/verdict.h"
#include "tests/tools/uad_fixture.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ProgramResult;
using test::read_bytes;
using test::read_json;
using test::run_uad;
using test::write_bytes;
using ::testing::HasSubstr;
using ::testing::Not;

using Options = std::vector<std::string>;

/// A run of uad predict and one of uad eval, with maps, for all tests.
class UadReplay : public test::Uad {
 protected:
  static void SetUpTestSuite() {
    Uad::SetUpTestSuite();
    predict({}, predicted());
    const ProgramResult result = run_uad({"eval", "--model", model(), "--data", data(), "--json",
                                          evaluated(), "--save-maps", *shared_ / "eval-maps"});
    ASSERT_EQ(result.code, 0) << result.err;
  }
  static std::string predicted() { return *shared_ / "p.json"; }
  static std::string evaluated() { return *shared_ / "e.json"; }
  static std::string maps() { return *shared_ / "maps"; }

  static json predict(const Options& options, const std::string& file) {
    Options args{"predict", "--model", model(),       (*shared_ / "set" / "test").string(),
                 "--json",  file,      "--save-maps", maps()};
    args.insert(args.end(), options.begin(), options.end());
    const ProgramResult result = run_uad(args);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_json(file);
  }
  ProgramResult replay(const std::string& file, Options options = {}) {
    options.insert(options.begin(), {"replay", file});
    return run_uad(options);
  }
  json replayed(const std::string& file, Options options) {
    options.insert(options.end(), {"--json", folder_ / "replayed.json"});
    const ProgramResult result = replay(file, options);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_json(folder_ / "replayed.json");
  }
  void refuses(const std::string& file, const Options& options, int code,
               const std::string& words) {
    const ProgramResult result = replay(file, options);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  /// Halfway between the second and the third highest score, as text.
  static std::string middle(const json& images) {
    std::vector<double> scores;
    for (const json& image : images) scores.push_back(image["score"]);
    std::ranges::sort(scores, std::greater<>());
    return fmt::format("{}", (scores.at(1) + scores.at(2)) / 2);
  }
};

TEST_F(UadReplay, IsWhatPredictSaysAtThoseThresholds) {
  const json stored = read_json(predicted());
  for (const Options& options :
       {Options{"--reject-threshold", middle(stored), "--warn-threshold", "0.001", "--threshold",
                "0.7", "--min-area", "40"},
        Options{"--reject-threshold", middle(stored)}, Options{"--threshold", "0.2"}}) {
    const json rerun = predict(options, folder_ / "rerun.json");
    Options more = options;
    more.insert(more.end(), {"--maps", maps()});
    EXPECT_EQ(replayed(predicted(), more)["images"], rerun) << ::testing::PrintToString(options);
    EXPECT_NE(rerun, stored);
  }
}

TEST_F(UadReplay, AReplayOfAnOverriddenRunIsWhatPredictSaysToo) {
  const json overridden =
      predict({"--reject-threshold", "0.9", "--threshold", "0.8"}, folder_ / "overridden.json");
  const Options back{"--reject-threshold", middle(overridden),
                     "--warn-threshold",   "0.1",
                     "--threshold",        "0.3",
                     "--min-area",         "0"};
  const json rerun = predict(back, folder_ / "rerun.json");
  Options more = back;
  more.insert(more.end(), {"--maps", maps()});
  EXPECT_EQ(replayed(folder_ / "overridden.json", more)["images"], rerun);
}

TEST_F(UadReplay, AtTheStoredThresholdsNothingChanges) {
  const json same = replayed(predicted(), {"--maps", maps()});
  EXPECT_EQ(same["images"], read_json(predicted()));
  EXPECT_TRUE(same["replay"]["changed"].empty());
  json record = replayed(evaluated(), {});
  EXPECT_TRUE(record["replay"]["changed"].empty());
  record.erase("replay");
  EXPECT_EQ(record, read_json(evaluated()));
}

TEST_F(UadReplay, LabelsOfADataSetGiveWhatEvalGives) {
  const std::string reject = middle(read_json(predicted()));
  const json of_eval = replayed(evaluated(), {"--reject-threshold", reject, "--maps",
                                              *shared_ / "eval-maps", "--model", model()});
  const json of_predict = replayed(predicted(), {"--reject-threshold", reject, "--maps", maps(),
                                                 "--model", model(), "--data", data()});
  EXPECT_EQ(of_predict["image_at_reject"], of_eval["image_at_reject"]);
  EXPECT_EQ(of_predict["image_auroc"], of_eval["image_auroc"]);
  EXPECT_EQ(of_predict["curves"]["image_roc"], of_eval["curves"]["image_roc"]);
  for (const char* side : {"stored", "new"}) {
    EXPECT_EQ(of_predict["replay"][side], of_eval["replay"][side]) << side;
    EXPECT_GT(of_eval["replay"][side]["pixel_at_region"]["tp"], 0) << side;
  }
  EXPECT_EQ(of_eval["image_at_reject"]["tp"], 2);
  EXPECT_EQ(of_eval["kinds"][1]["rejected"], 2);
}

/// The pixel F1 of uad eval, at its best threshold, is found again from stored maps.
TEST_F(UadReplay, PixelFiguresAreThoseOfEval) {
  const json metrics = read_json(evaluated());
  const json& scale = metrics["manifest"]["map_norm"];
  const ScoreScale map{scale["lo"], scale["thr"], scale["hi"]};
  const double best = metrics["pixel_threshold"];
  ASSERT_LT(best, map.hi);
  // A hair lower, so that rounding does not lose the pixel that lies on the threshold.
  const std::string level = fmt::format("{}", map.normalise(best) - 1e-9);
  const json record = replayed(
      evaluated(), {"--maps", *shared_ / "eval-maps", "--model", model(), "--threshold", level});
  const json& at = record["replay"]["new"]["pixel_at_region"];
  EXPECT_DOUBLE_EQ(at["f1"].get<double>(), metrics["pixel_f1"].get<double>());
}

TEST_F(UadReplay, ShowsCountsFiguresAndCosts) {
  const ProgramResult result =
      replay(evaluated(), {"--reject-threshold", middle(read_json(evaluated())["images"]),
                           "--defect-rate", "0.01", "--cost-false-accept", "200"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* part :
       {"3 -> 2", "1 -> 2", "1 of 8 verdicts change", "PASS     -> REJECT", "test/stain/", "recall",
        "0.5000", "95 % interval", "cost of 1000 parts", "1500", "cheapest"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_THAT(result.out, Not(HasSubstr("NOTE")));
  EXPECT_THAT(replay(evaluated()).out, HasSubstr("Say --defect-rate"));
}

TEST_F(UadReplay, TheReportShowsTheNewDecisionsAndTheOldOnesBesideThem) {
  const std::string reject = middle(read_json(evaluated())["images"]);
  const std::string page = folder_ / "r.html";
  const std::string file = folder_ / "r.json";
  ASSERT_EQ(
      replay(evaluated(), {"--reject-threshold", reject, "--report", page, "--json", file}).code,
      0);
  const std::string html = read_bytes(page);  // too long to be printed where a check fails
  const auto shows = [&](const std::string& part) { return html.find(part) != html.npos; };
  EXPECT_TRUE(shows("At other thresholds"));
  EXPECT_TRUE(shows("2 of 4; 95 % interval"));  // defects found at the new threshold
  EXPECT_TRUE(shows("3 of 4 (75.0 %)"));        // defects missed at the stored one
  EXPECT_TRUE(shows("These were given to <code>uad replay</code>"));
  const std::string both = folder_ / "both.html";
  ASSERT_EQ(run_uad({"report", evaluated(), file, "--output", both}).code, 0);
  EXPECT_NE(read_bytes(both).find("At other thresholds"), std::string::npos);
}

TEST_F(UadReplay, LinesOfALineAreJudgedWithTheModelOrTheGivenThresholds) {
  const std::string file = folder_ / "line.jsonl";
  write_bytes(file,
              "{\"frame\": 0, \"utc\": \"\", \"verdict\": \"PASS\", \"score\": 0.001}\n"
              "{\"frame\": 1, \"utc\": \"\", \"verdict\": \"REJECT\", \"score\": 1000}\n");
  const ProgramResult bare = replay(file);
  EXPECT_EQ(bare.code, 2);
  EXPECT_THAT(bare.err, HasSubstr("--reject-threshold"));
  EXPECT_THAT(replay(file, {"--reject-threshold", "2000"}).out, HasSubstr("REJECT   -> PASS"));
  const json record = replayed(file, {"--model", model()});
  EXPECT_TRUE(record["replay"]["changed"].empty());
  EXPECT_EQ(record["images"][1]["normalised_score"], 1.0);
  const ProgramResult again = replay(folder_ / "replayed.json", {"--reject-threshold", "2000"});
  EXPECT_THAT(again.out, HasSubstr("frame 1"));  // what a replay wrote can be replayed
}

TEST_F(UadReplay, LinesOfAnotherModelAreRefused) {
  const std::string file = folder_ / "line.jsonl";
  const std::string line = "{{\"verdict\": \"PASS\", \"score\": 0.001, \"model\": \"{}\"}}\n";
  write_bytes(file, fmt::format(fmt::runtime(line), "nut"));
  refuses(file, {"--model", model()}, 2, "was scored by model \"nut\"");
  write_bytes(file, fmt::format(fmt::runtime(line), "model"));  // the stem of model()
  EXPECT_EQ(replay(file, {"--model", model()}).code, 0);
}

TEST_F(UadReplay, AFolderNamedAsTheFileIsNoCategory) {
  const std::string file = folder_ / "stain.json";  // as the folder of maps of one kind
  fs::copy(predicted(), file);
  const ProgramResult result = replay(file, {"--maps", maps()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("8 maps"));
}

TEST_F(UadReplay, AnswersOnStandardOutputHaveNoPictures) {
  const ProgramResult result = replay(evaluated(), {"--json", "-"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_FALSE(json::parse(result.out).contains("gallery"));
}

TEST_F(UadReplay, CategoriesAreReplayedEach) {
  const json first = read_json(evaluated());
  json second = first;
  second["manifest"]["image_norm"]["hi"] = first["manifest"]["image_norm"]["hi"].get<double>() + 1;
  const std::string both = folder_ / "all.json";
  write_bytes(both, json{{"categories", {{"bolt", first}, {"nut", second}}}}.dump());
  const json records = replayed(both, {"--defect-rate", "0.1"})["categories"];
  EXPECT_EQ(records["nut"]["replay"]["costs"]["defect_rate"], 0.1);
  EXPECT_TRUE(records.contains("bolt"));
  const ProgramResult raw = replay(both, {"--reject-threshold", "3"});
  EXPECT_EQ(raw.code, 2);
  EXPECT_THAT(raw.err, HasSubstr("--category"));
  EXPECT_EQ(replay(both, {"--reject-threshold", "3", "--category", "nut"}).code, 0);
  EXPECT_THAT(replay(both, {"--category", "screw"}).err, HasSubstr("it has bolt, nut"));
}

TEST_F(UadReplay, RefusesOptionsThatContradict) {
  refuses(evaluated(), {"--warn-threshold", "1e9"}, 2, "lower it, or raise");
  refuses(evaluated(), {"--reject-threshold", "-1e9"}, 2, "must be above");
  refuses(evaluated(), {"--reject-threshold", "nan"}, 2, "reject_threshold");
  refuses(evaluated(), {"--threshold", "0.6"}, 2, "--save-maps");
  refuses(evaluated(), {"--defect-rate", "2"}, 2, "defect_rate");
  refuses(predicted(), {"--report", folder_ / "r.html"}, 2, "uad eval --json");
}

TEST_F(UadReplay, RefusesFilesThatDoNotFit) {
  refuses(evaluated(), {"--maps", folder_ / "none"}, 1, "not one image");
  refuses(predicted(), {"--data", "/nowhere"}, 1, "/nowhere");
  refuses(predicted(), {"--model", data()}, 1, "set");
  refuses(model(), {}, 1, "no JSON");
  write_bytes(folder_ / "half.json", read_bytes(evaluated()).substr(0, 5000));
  refuses(folder_ / "half.json", {}, 1, "cut off");
  json record = read_json(evaluated());
  record["data"] = 3;
  write_bytes(folder_ / "data.json", record.dump());
  refuses(folder_ / "data.json", {"--maps", *shared_ / "eval-maps"}, 1, "data must be");
}

TEST_F(UadReplay, ADataSetThatIsGoneCostsThePixelFiguresAlone) {
  json record = read_json(evaluated());
  record["data"] = "/nowhere/set";
  write_bytes(folder_ / "e.json", record.dump());
  const ProgramResult result =
      replay(folder_ / "e.json", {"--maps", *shared_ / "eval-maps", "--model", model()});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("\"/nowhere/set\""));
  EXPECT_THAT(result.out, HasSubstr("8 maps"));
  EXPECT_THAT(result.out, Not(HasSubstr("pixel F1")));
}

/// Images may be links into a store; their maps go where the links are.
TEST_F(UadReplay, MapsOfLinkedImagesStayInTheirFolder) {
  fs::create_directories(folder_ / "linked" / "test" / "good");
  fs::create_symlink(image("good/0.png"), folder_ / "linked" / "test" / "good" / "a.png");
  const fs::path maps = folder_ / "deep" / "maps";
  ASSERT_EQ(run_uad({"eval", "--model", model(), "--data", folder_ / "linked", "--save-maps", maps,
                     "--json", folder_ / "e.json"})
                .code,
            0);
  EXPECT_EQ(read_json(folder_ / "e.json")["images"][0]["map"]["file"], "test/good/a.npy");
  EXPECT_TRUE(fs::exists(maps / "test" / "good" / "a.npy"));
  ASSERT_EQ(
      run_uad({"predict", "--model", model(), folder_ / "linked", "--save-maps", folder_ / "p"})
          .code,
      0);
  EXPECT_TRUE(fs::exists(folder_ / "p" / "test" / "good" / "a.npy"));
}

TEST_F(UadReplay, MapsOfImagesOfTheSameNameAreAllKept) {
  const fs::path set = copy_of_data();
  fs::copy(set / "test" / "stain" / "0.png", set / "test" / "good" / "0.tif");
  const auto files_of = [](const json& images) {
    std::set<std::string> files;
    for (const json& one : images) files.insert(one["map"]["file"].get<std::string>());
    return files;
  };
  const fs::path maps = folder_ / "maps";
  const std::string file = folder_ / "p.json";
  ASSERT_EQ(run_uad({"predict", "--model", model(), set / "test" / "good", set / "test" / "stain",
                     "--save-maps", maps, "--json", file})
                .code,
            0);
  const json list = read_json(file);
  EXPECT_EQ(files_of(list).size(), list.size());
  EXPECT_EQ(files_of(list).count("0-3.npy"), 1U);
  EXPECT_TRUE(fs::exists(maps / "0-2_heatmap.png"));
  ASSERT_EQ(run_uad({"eval", "--model", model(), "--data", set, "--save-maps", folder_ / "eval",
                     "--json", file})
                .code,
            0);
  const json images = read_json(file)["images"];
  EXPECT_EQ(images.size(), 9U);
  EXPECT_EQ(files_of(images).size(), 9U);
}

TEST_F(UadReplay, MissingMapsAreNamed) {
  fs::copy(maps(), folder_ / "maps", fs::copy_options::recursive);
  fs::remove(folder_ / "maps" / "stain" / "1.npy");
  const ProgramResult result = replay(predicted(), {"--maps", folder_ / "maps"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("1 of 8 images have no map"));
  EXPECT_THAT(result.err, HasSubstr("stain/1.png"));
}

}  // namespace
}  // namespace uad

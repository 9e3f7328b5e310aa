// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of scores: what is read from them, and what is refused with which words.
#include "core/eval/stored_scores.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using nlohmann::json;
using test::expect_error;
using ::testing::HasSubstr;

const Thresholds kModel{{0, 10, 20}, {0, 4, 8}, 6, 0};

json image(const std::string& path, double score, const std::string& verdict) {
  return {{"path", path},
          {"score", score},
          {"verdict", verdict},
          {"thresholds", to_json(StoredThresholds::of(kModel))}};
}

class ScoreFiles : public ::testing::Test {
 protected:
  std::vector<StoredRun> read(const std::string& text) {
    test::write_bytes(folder_ / "scores.json", text);
    return read_scores(folder_ / "scores.json");
  }
  void refused(const std::string& text, const std::string& reason) {
    expect_error(ErrorCode::kBadFile, {"scores.json", reason}, [&] { return read(text); });
  }
  test::TempDir folder_;
};

TEST_F(ScoreFiles, AListOfPredictHoldsThresholdsAndMaps) {
  json list{image("a.png", 3, "PASS"), image("b.png", 12, "REJECT")};
  const StoredMap map{"b.npy", {4, 2}, {1, 2, 8, 4}};
  list[1]["map"] = to_json(map);
  const auto runs = read(list.dump(2));
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].name, "scores");
  EXPECT_EQ(runs[0].thresholds, StoredThresholds::of(kModel));
  ASSERT_EQ(runs[0].frames.size(), 2U);
  EXPECT_EQ(runs[0].frames[1].verdict, Verdict::kReject);
  EXPECT_FALSE(runs[0].frames[0].map);
  EXPECT_EQ(runs[0].frames[1].map->file, "b.npy");
  EXPECT_EQ(runs[0].frames[1].map->size, (Size{4, 2}));
  EXPECT_EQ(runs[0].frames[1].map->placement, (RectF{1, 2, 8, 4}));
}

TEST_F(ScoreFiles, AScoreThatWasNoNumberIsNull) {
  json list{image("a.png", NAN, "UNSCORED")};
  EXPECT_TRUE(std::isnan(read(list.dump()).front().frames.front().score));
}

TEST_F(ScoreFiles, LinesOfALineAreNamedByFrameAndTime) {
  const auto runs = read(
      "{\"frame\": 7, \"utc\": \"2026-03-01T08:15:30Z\", \"verdict\": \"WARN\", \"score\": 3.5}\n"
      "\n{\"frame\": 8, \"verdict\": \"PASS\", \"score\": 1}\n");
  ASSERT_EQ(runs.at(0).frames.size(), 2U);
  EXPECT_EQ(runs[0].source, ScoreFile::kLines);
  EXPECT_EQ(runs[0].frames[0].name, "frame 7 of 2026-03-01T08:15:30Z");
  EXPECT_EQ(runs[0].frames[0].verdict, Verdict::kWarn);
  EXPECT_FALSE(runs[0].thresholds);
  EXPECT_TRUE(runs[0].notes.empty());
}

TEST_F(ScoreFiles, BrokenLinesAreLeftOutAndCounted) {
  const auto runs = read(
      "{\"verdict\": \"PASS\", \"score\": 1}\n{\"verdict\": \"UNSCORED\", \"score\": NaN}\n"
      "{\"verdict\": \"PASS\", \"sco");
  EXPECT_EQ(runs.at(0).frames.size(), 1U);
  EXPECT_THAT(runs[0].notes.at(0), HasSubstr("2 lines are no whole JSON object"));
  EXPECT_THAT(runs[0].notes.at(0), HasSubstr("the first is line 2"));
}

TEST_F(ScoreFiles, ALogMayBeginWithABrokenLine) {
  for (const std::string start : {"core\": 1}\n", "\n\n{\"verdict\": \"PASS\", \"sco\n",
                                  "{\"verdict\": \"UNSCORED\", \"score\": NaN}\n"}) {
    const auto runs = read(start + "{\"verdict\": \"PASS\", \"score\": 1}\n");
    EXPECT_EQ(runs.at(0).frames.size(), 1U) << start;
    EXPECT_THAT(runs[0].notes.at(0), HasSubstr("1 lines are no whole JSON object")) << start;
  }
  const auto blank = read("\n{\"verdict\": \"PASS\", \"score\": 1}\n");
  EXPECT_EQ(blank.at(0).source, ScoreFile::kLines);
  EXPECT_TRUE(blank[0].notes.empty());
}

TEST_F(ScoreFiles, LinesKeepTheirNumbersBehindOnesLeftOut) {
  const std::string start = "broken\n\n{\"verdict\": \"PASS\", \"score\": 1}\n";
  EXPECT_EQ(read(start).at(0).frames[0].name, "line 3");
  refused(start + "{\"verdict\": \"PASS\"}\n", "line 4: key 'score' not found");
}

TEST_F(ScoreFiles, AListWithAnImageALineIsNoLog) {
  const std::string list =
      "[\n" + image("a.png", 3, "PASS").dump() + ",\n" + image("b.png", 3, "PASS").dump() + "\n]";
  EXPECT_EQ(read(list).at(0).source, ScoreFile::kPredict);
  EXPECT_EQ(read("{\"images\": " + list + "}").at(0).frames.size(), 2U);
  refused(list.substr(0, list.size() - 2), "cut off or damaged");
}

TEST_F(ScoreFiles, VerdictsOfPartsHaveNoScores) {
  refused("{\"part\": 1, \"id\": \"\", \"verdict\": \"PASS\", \"worst-score\": 2.5}",
          "line 1: it is the verdict of a part, which has no score");
}

TEST_F(ScoreFiles, DeepNestingIsRefused) {
  const std::string deep(200000, '[');
  const std::string whole = deep + std::string(deep.size(), ']');
  refused("{\"verdict\": \"PASS\", \"score\": " + whole + "}", "cut off or damaged");
  const auto runs = read("{\"verdict\": \"PASS\", \"score\": 1}\n{\"score\": " + whole + "}");
  EXPECT_EQ(runs.at(0).frames.size(), 1U);
}

TEST_F(ScoreFiles, MapsThatCannotBeAreRefused) {
  const auto with = [](const char* key, const json& value) {
    json list{image("a.png", 3, "PASS")};
    list[0]["map"] = to_json(StoredMap{"a.npy", {4, 2}, {1, 2, 8, 4}});
    list[0]["map"][json::json_pointer(key)] = value;
    return list.dump();
  };
  for (const json& side : {json(0), json(-4), json(32769), json(4294967297), json(1e300)}) {
    refused(with("/size/0", side), "image 1: a side of a map must be 1 to 32768 pixels");
  }
  refused(with("/placement/x", 1e300), "image 1: placement");
  refused(with("/placement/width", 0), "image 1: placement");
  refused(with("/placement/height", 1e300), "image 1: placement");
  for (const char* file : {"", "/etc/a.npy", "../a.npy", "a/../../b.npy"}) {
    refused(with("/file", file), "is not below the folder of maps");
  }
  EXPECT_EQ(read(with("/file", "a..b/c.npy")).at(0).frames[0].map->file, "a..b/c.npy");
}

TEST_F(ScoreFiles, NamesOfCategoriesAreToldFromNamesOfFiles) {
  const json one{{"images", {image("a.png", 3, "PASS")}}};
  EXPECT_FALSE(read(one.dump()).at(0).is_category);
  EXPECT_TRUE(read(json{{"categories", {{"nut", one}}}}.dump()).at(0).is_category);
}

TEST_F(ScoreFiles, ADataSetThatIsNoTextIsRefused) {
  refused("{\"images\": [], \"manifest\": {}, \"data\": 3}", "data must be");
}

TEST_F(ScoreFiles, DisagreementsOfAShadowAreSaidToBeASelection) {
  const auto runs = read("{\"verdict\": \"PASS\", \"score\": 1, \"shadow_score\": 2}");
  EXPECT_THAT(runs.at(0).notes.at(0), HasSubstr("judged differently"));
}

TEST_F(ScoreFiles, WhatIsNoScoreFileIsRefusedWithTheReason) {
  refused("", "it is empty");
  refused("\x93NUMPY", "it is no JSON");
  refused("[]", "it holds no image");
  refused("[1]", "image 1");
  refused("{}", "score");  // one line, and no score in it
  refused("{\n}", "key 'images' not found");
  refused("{\"images\": 3, \"manifest\": {}}", "image_norm");
  refused("{\"categories\": {}}", "no category");
  const std::string list = json{image("a.png", 3, "PASS")}.dump(2);
  refused(list.substr(0, list.size() / 2), "cut off or damaged");
  expect_error(ErrorCode::kNotFound, {"nowhere"}, [] { return read_scores("/nowhere/x.json"); });
}

TEST_F(ScoreFiles, TheImageAndTheKeyThatAreWrongAreNamed) {
  const auto with = [](const char* key, const json& value) {
    json list{image("a.png", 3, "PASS"), image("b.png", 3, "PASS")};
    list[1][key] = value;
    return list.dump();
  };
  refused(with("score", "high"), "image 2: score must be a finite number, found \"high\"");
  refused(with("verdict", "GOOD"), "image 2: verdict \"GOOD\" is none of PASS");
  refused(with("path", 3), "image 2: type must be string");
  refused(with("thresholds", json::object()), "image 2: key 'image_norm' not found");
  json other = to_json(StoredThresholds::of(kModel));
  other["reject"] = 11;
  refused(with("thresholds", other), "image 2: it was judged by another model");
  refused("[{\"path\": \"a\", \"verdict\": \"PASS\"}]", "image 1: key 'score' not found");
  refused("[{\"path\": \"a\", \"verdict\": \"PASS\", \"score\": 1e999}]", "cut off or damaged");
  refused(
      "{\"verdict\": \"PASS\", \"score\": 1, \"model\": \"a\"}\n"
      "{\"verdict\": \"PASS\", \"score\": 1, \"model\": \"b\"}",
      "line 2: it is of model \"b\"");
}

TEST(StoredThresholds, ChangesLeaveNoTraceOfTheChangeBefore) {
  const StoredThresholds model = StoredThresholds::of(kModel);
  EXPECT_EQ(model.with({}), kModel);
  const StoredThresholds changed =
      model.judged_with(model.with({.warn = 1, .reject = 12, .region = 0.75, .min_area = 5}));
  EXPECT_EQ(changed.image, kModel.image);
  EXPECT_EQ(changed.with({}).image, kModel.image.with_threshold(12));
  EXPECT_EQ(changed.with({}).map.thr, 6);
  EXPECT_EQ(changed.with({}).min_area, 5);
  EXPECT_EQ(changed.with({.region = 0.5}).map, kModel.map);
  EXPECT_EQ(changed.with({.reject = 11}).image, kModel.image.with_threshold(11));
}

TEST(StoredThresholds, WarnFollowsRejectDownButNotAbove) {
  const StoredThresholds model = StoredThresholds::of(kModel);
  EXPECT_EQ(model.with({.reject = 5}).warn, 5);
  expect_error(ErrorCode::kBadOption, {"warn-threshold", "11", "raise \"reject-threshold\""},
               [&] { return model.with({.warn = 11}); });
}

}  // namespace
}  // namespace uad

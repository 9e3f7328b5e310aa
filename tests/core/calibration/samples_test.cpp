// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/calibration/origin_text.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = PartRule::Kind;

ScoredFrame scored(const std::string& name, float score, float map_maximum = 0) {
  return {name, "good", false, score, map_maximum};
}

TEST(PartRule, IsReadAndWrittenAlike) {
  EXPECT_EQ(parse_part_rule("frame", "part-of"), PartRule());
  EXPECT_EQ(parse_part_rule("folder", "part-of").kind, Kind::kFolder);
  EXPECT_EQ(parse_part_rule("frames:25", "part-of"), (PartRule{Kind::kRun, 25}));
  for (const char* text : {"frame", "folder", "frames:25"}) {
    EXPECT_EQ(to_string(parse_part_rule(text, "part-of")), text);
  }
  for (const char* text : {"", "frames", "frames:", "frames:0", "frames:-1", "frames:2x", "part"}) {
    expect_error(ErrorCode::kBadOption, {"part-of", "folder or frames:N"},
                 [&] { return parse_part_rule(text, "part-of"); });
  }
}

TEST(GroupByPart, APartCountsOnceWithItsLargestScore) {
  const std::vector<ScoredFrame> frames{scored("v#0", 1, 8), scored("v#1", 5, 2),
                                        scored("v#2", 4, 3), scored("v#3", 2, 9),
                                        scored("v#4", 7, 7)};
  const GoodSamples samples = group_by_part(frames, {Kind::kRun, 2}, {});
  EXPECT_THAT(samples.scores, ElementsAre(5, 4));
  EXPECT_THAT(samples.map_maxima, ElementsAre(8, 9));
  EXPECT_EQ(samples.frames, 4U);
  EXPECT_EQ(samples.left_out, 1U);  // the last part lacks a frame
  EXPECT_THAT(group_by_part(frames, {}, {}).scores, ElementsAre(1, 5, 4, 2, 7));
}

TEST(GroupByPart, AFolderIsOnePart) {
  const std::vector<ScoredFrame> frames{scored("/d/a/1.png", 1), scored("/d/b/1.png", 2),
                                        scored("/d/a/2.png", 3), scored("/d/b/2.png", 1)};
  EXPECT_THAT(group_by_part(frames, {Kind::kFolder, 1}, {{"/d/a/3.png", "cut off"}}).scores,
              ElementsAre(3, 2));
}

TEST(GroupByPart, CountingNeedsEveryFrame) {
  const std::vector<ScoredFrame> frames{scored("0.png", 1), scored("2.png", 2)};
  expect_error(ErrorCode::kBadOption, {"1 could not be read", "1.png", "--part-of folder"}, [&] {
    return group_by_part(frames, {Kind::kRun, 2}, {{"1.png", "cut off"}});
  });
  EXPECT_EQ(group_by_part(frames, {}, {{"1.png", "cut off"}}).scores.size(), 2U);
  expect_error(ErrorCode::kBadOption, {"not one whole part", "frames:3", "found 2"}, [&] {
    return group_by_part(frames, {Kind::kRun, 3}, {});
  });
}

ThresholdOrigin promised() {
  return {"order statistics",
          20,
          {{"promise",
            {{"target_rate", 1e-3},
             {"confidence", 0.95},
             {"rate", 0.139108},
             {"samples", 20},
             {"needed", 2995},
             {"order", 1}}},
           {"warn_promise", {{"rate", 0.498}, {"order", 6}}},
           {"estimate", {{"rate", 1e-3}, {"threshold", 12.5}, {"shape", 0.1}, {"tail", 10}}},
           {"naive", {{"maximum", 9.25}, {"mean_plus_3_sd", 8.5}}},
           {"part_of", "frames:3"},
           {"frames", 60},
           {"map_rule", "the same"}}};
}

TEST(OriginLines, TellThePromiseAndWhatIsNone) {
  const std::vector<std::string> lines = origin_lines(promised());
  for (const char* part :
       {"with 95 % confidence at most 14 % of good parts",
        "0.1 % needs 2995 independent good parts", "there were 20", "just above the largest",
        "number 6 from the top: at most 49.8 %", "60 frames, --part-of frames:3",
        "estimate, no promise", "10 highest scores reaches 0.1 % at 12.5",
        "largest score is 9.25, mean + 3 sd 8.5", "map rule: the same"}) {
    EXPECT_THAT(lines, Contains(HasSubstr(part)));
  }
}

TEST(OriginLines, SayWhatWasKeptAndNameFramesAsFrames) {
  ThresholdOrigin origin = promised();
  origin.facts["promise"]["samples"] = 3000;
  origin.facts["promise"]["rate"] = 0.000998;
  origin.facts["part_of"] = "frame";
  origin.facts["estimate"] = nullptr;
  const std::vector<std::string> lines = origin_lines(origin);
  EXPECT_THAT(lines, Contains(HasSubstr("at most 0.0998 % of good frames")));
  EXPECT_THAT(lines, Contains(HasSubstr("asked for: 0.1 %, which needs 2995")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("too few"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("estimate"))));
}

TEST(OriginLines, TakeFactsOfAnyShape) {
  EXPECT_THAT(origin_lines({"mean + 3 sd", 5, {{"image_score", {{"mean", 1.5}}}}}),
              ElementsAre("image score: mean 1.5"));
  for (const char* broken : {R"({"promise": 3})", R"({"promise": {"rate": "x", "order": []},
                             "part_of": {}, "naive": [], "estimate": {"tail": {}}})"}) {
    EXPECT_FALSE(origin_lines({"", 0, nlohmann::json::parse(broken)}).empty()) << broken;
  }
}

}  // namespace
}  // namespace uad

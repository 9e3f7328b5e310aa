// SPDX-License-Identifier: LGPL-2.1-or-later
// Stored scores and maps at other thresholds.
#include "core/eval/replay.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/data/image_io.h"
#include "core/data/npy.h"
#include "core/eval/report/replayed.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using nlohmann::json;
using test::expect_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Thresholds kModel{{0, 10, 20}, {0, 4, 8}, 6, 0};

/// Scores 5, 7, 9 and 12 of good parts and 8, 11 and 15 of defects, judged by the model.
StoredRun labelled_run() {
  StoredRun run{.name = "run", .thresholds = StoredThresholds::of(kModel)};
  run.record = {{"images", json::array()}};
  const auto add = [&](const std::string& kind, double score) {
    run.frames.push_back({.name = "/set/test/" + kind + "/" + std::to_string(run.frames.size()),
                          .score = score,
                          .verdict = judge(score, kModel),
                          .kind = kind,
                          .defective = kind != "good"});
    run.record["images"].push_back({{"path", run.frames.back().name}, {"score", score}});
  };
  for (const double score : {5, 7, 9, 12}) add("good", score);
  add("crack", 8);
  add("stain", 11);
  add("stain", 15);
  return run;
}

TEST(Replay, TheStoredThresholdsGiveTheStoredVerdicts) {
  const StoredRun run = labelled_run();
  const Replay same = replay(run, {});
  EXPECT_EQ(same.thresholds, kModel);
  EXPECT_TRUE(same.changed.empty());
  EXPECT_TRUE(same.contradictions.empty());
  EXPECT_EQ(same.all_before(), same.all_after());
}

TEST(Replay, NamesWhatChangesAndCountsBothSides) {
  const StoredRun run = labelled_run();
  const Replay result = replay(run, {.warn = 6, .reject = 8});
  EXPECT_THAT(result.changed, ElementsAre(2U, 4U));  // the good 9 and the cracked 8: WARN -> REJECT
  EXPECT_EQ(result.verdicts[4], Verdict::kReject);
  EXPECT_EQ(result.before.fn, 1);
  EXPECT_EQ(result.before.fp, 1);
  EXPECT_EQ(result.after.fn, 0);
  EXPECT_EQ(result.after.fp, 2);
  EXPECT_EQ(result.after.tp, 3);
  EXPECT_EQ(result.after.tn, 2);
  ASSERT_EQ(result.kinds.size(), 3U);
  EXPECT_EQ(result.kinds[0].kind, "good");
  EXPECT_EQ(result.kinds[1].kind, "crack");
  EXPECT_EQ(result.kinds[0].before, (VerdictCounts{.pass = 1, .warn = 2, .reject = 1}));
  EXPECT_EQ(result.kinds[0].after, (VerdictCounts{.pass = 1, .warn = 1, .reject = 2}));
}

TEST(Replay, ImagesWithoutAScoreStayUnscoredAndCountNowhere) {
  StoredRun run = labelled_run();
  run.frames[0].score = NAN;
  run.frames[0].verdict = Verdict::kUnscored;
  const Replay result = replay(run, {.reject = 8});
  EXPECT_EQ(result.verdicts[0], Verdict::kUnscored);
  EXPECT_EQ(result.after.fp + result.after.tn, 3);
  EXPECT_EQ(result.kinds[0].after.unscored, 1);
  EXPECT_EQ(replayed_record(run, result, {}, {})["replay"]["new"]["verdicts"]["UNSCORED"], 1);
}

TEST(Replay, VerdictsThatContradictTheirThresholdsAreFound) {
  StoredRun run = labelled_run();
  run.frames[1].verdict = Verdict::kReject;
  EXPECT_THAT(replay(run, {}).contradictions, ElementsAre(1U));
}

TEST(Replay, WithoutStoredThresholdsTheNewOnesMustBeGiven) {
  StoredRun run = labelled_run();
  run.thresholds.reset();
  expect_error(ErrorCode::kBadOption, {"run", "--reject-threshold", "--model"},
               [&] { return replay(run, {}); });
  const Replay result = replay(run, {.reject = 9});
  EXPECT_EQ(result.verdicts[1], Verdict::kPass);  // no warn was given, so nothing is warned of
  EXPECT_EQ(result.verdicts[2], Verdict::kReject);
  for (const double score : {1, 9, 20}) {
    EXPECT_TRUE(std::isnan(result.thresholds.image.normalise(score)));
  }
  expect_error(ErrorCode::kBadOption, {"warn-threshold"},
               [&] { return replay(run, {.warn = 10, .reject = 9}); });
}

TEST(Replay, CostsComparesStoredNewAndCheapest) {
  const StoredRun run = labelled_run();
  const Replay replayed = replay(run, {.reject = 8});
  // 990 good: 1/4 rejected, then 2/4. 10 defective: 1/3 missed at 30, then none.
  const auto costs = compare_costs(run, replayed, {1, 30, 0.01});
  ASSERT_TRUE(costs);
  EXPECT_DOUBLE_EQ(costs->before, 990.0 / 4 + 10.0 / 3 * 30);
  EXPECT_DOUBLE_EQ(costs->after, 990.0 / 2);
  EXPECT_EQ(costs->cheapest.threshold, 15);  // 10 * 2/3 * 30 = 200
  EXPECT_DOUBLE_EQ(costs->cheapest.cost, 200);
  EXPECT_FALSE(costs->rate_of_the_set);
  EXPECT_DOUBLE_EQ(compare_costs(run, replayed, {})->costs.defect_rate, 3.0 / 7);
  EXPECT_TRUE(compare_costs(run, replayed, {})->rate_of_the_set);
}

TEST(Replay, OneClassAloneHasNoCosts) {
  StoredRun run = labelled_run();
  run.frames.resize(4);
  EXPECT_FALSE(compare_costs(run, replay(run, {}), {}));
}

TEST(Replay, TheRecordCarriesBothSidesAndTheImagesAsNew) {
  const StoredRun run = labelled_run();
  const Replay replayed = replay(run, {.reject = 8});
  const json record =
      replayed_record(run, replayed, compare_costs(run, replayed, {1, 30, 0.01}), {});
  EXPECT_EQ(record["images"][4]["verdict"], "REJECT");
  EXPECT_EQ(record["images"][4]["normalised_score"], 0.5);
  EXPECT_EQ(record["images"][4]["thresholds"]["reject"], 8);
  EXPECT_EQ(record["images"][4]["thresholds"]["image_norm"]["thr"], 10);  // the model's scale
  const json& both = record["replay"];
  EXPECT_EQ(both["stored"]["reject_threshold"], 10);
  EXPECT_EQ(both["new"]["reject_threshold"], 8);
  EXPECT_EQ(both["new"]["image_at_reject"]["fn"], 0);
  EXPECT_EQ(both["cheapest"]["up_to"], 15);
  EXPECT_EQ(both["cheapest"]["above"], 12);
  EXPECT_EQ(both["changed"].size(), 2U);
  EXPECT_EQ(both["changed"][1]["from"], "WARN");
  EXPECT_EQ(record["curves"]["image_roc"].back(), json({1.0, 1.0}));
}

TEST(Replay, TheReportShowsStoredNewAndCheapest) {
  const StoredRun run = labelled_run();
  const auto page = [&](const ThresholdWish& wish, const Costs& costs) {
    const Replay replayed = replay(run, wish);
    const json record = replayed_record(run, replayed, compare_costs(run, replayed, costs), {});
    return report::replayed_table(report::parse_replayed(record["replay"]));
  };
  const std::string moved = page({.reject = 8}, {1, 30, 0.01});
  for (const char* part :
       {"The verdict of 2 images changes", "<td>10</td><td>8</td><td>14</td>",
        "1 of 3 (33.3 %)<small>95 % interval", "<td>347.5</td><td>495</td><td>200</td>",
        "a defect that passes 30, and 1 % of the parts"}) {
    EXPECT_THAT(moved, HasSubstr(part));
  }
  EXPECT_THAT(moved, Not(HasSubstr("--defect-rate")));
  EXPECT_THAT(page({}, {}), HasSubstr("--defect-rate"));
  EXPECT_THAT(page({}, {}), HasSubstr("those of the stored run"));
}

TEST(Replay, TheReportOfOneClassHasNoCosts) {
  StoredRun run = labelled_run();
  run.frames.resize(4);
  while (run.record["images"].size() > 4) run.record["images"].erase(4);
  const json record = replayed_record(run, replay(run, {}), {}, {});
  const std::string table = report::replayed_table(report::parse_replayed(record["replay"]));
  EXPECT_THAT(table, HasSubstr("1 of 4 (25.0 %)"));
  EXPECT_THAT(table, Not(HasSubstr("Cheapest")));
}

class ReplayMaps : public ::testing::Test {
 protected:
  ReplayMaps() {
    run_.name = "run";
    run_.thresholds = StoredThresholds::of(kModel);
    // A 4x2 map in an 8x4 frame: 5 and 6 side by side, 3 apart from them.
    add("a", {5, 6, 0, 3, 0, 0, 0, 0});
    add("b", {0, 0, 0, 0, 0, 0, 0, 5});
  }
  void add(const std::string& name, const std::vector<float>& values) {
    const StoredMap map{name + ".npy", {4, 2}, {0, 0, 8, 4}};
    write_npy(folder_ / map.file, {4, 2, values});
    run_.frames.push_back({.name = name + ".png", .map = map});
  }
  Thresholds at(double region, double min_area = 0) {
    Thresholds thresholds = kModel;
    thresholds.map = kModel.map.with_threshold(region);
    thresholds.min_area = min_area;
    return thresholds;
  }
  test::TempDir folder_;
  StoredRun run_;
};

TEST_F(ReplayMaps, RegionsAreThoseOfTheNewThreshold) {
  const MapReplay lower = replay_maps(run_, folder_.path(), 4, at(3), nullptr);
  ASSERT_EQ(lower.regions[0]->size(), 2U);
  EXPECT_EQ(lower.regions[0]->front().area, 8);  // two map pixels of 2x2 frame pixels
  EXPECT_EQ(replay_maps(run_, folder_.path(), 4, at(3, 5), nullptr).regions[0]->size(), 1U);
  EXPECT_TRUE(replay_maps(run_, folder_.path(), 4, at(7), nullptr).regions[0]->empty());
}

TEST_F(ReplayMaps, PixelsAreHeldAgainstTheMask) {
  Image mask{8, 4, 1, std::vector<std::uint8_t>(32, 0)};
  for (const int x : {0, 1, 2, 3}) mask.pixels[static_cast<std::size_t>(x)] = 255;
  for (const int x : {0, 1, 2, 3}) mask.pixels[static_cast<std::size_t>(8 + x)] = 255;
  write_png(folder_ / "mask.png", mask);
  const ImageItem defective{"a.png", "crack", true, folder_ / "mask.png"};
  const ImageItem unmasked{"b.png", "crack", true, {}};
  InputSpec input;
  input.resize = {4, 2};
  GroundTruth truth{{&defective, &unmasked}, input, {}};
  const MapReplay result = replay_maps(run_, folder_.path(), 5.5, at(3), &truth);
  EXPECT_EQ(result.pixels->images, 1);
  EXPECT_EQ(result.pixels->missing_masks, 1);
  EXPECT_EQ(result.pixels->before.tp, 1);  // the 6
  EXPECT_EQ(result.pixels->before.fn, 1);
  EXPECT_EQ(result.pixels->after.tp, 2);
  EXPECT_EQ(result.pixels->after.fp, 1);  // the 3
  EXPECT_EQ(result.pixels->after.tn, 5);
  truth.input.resize = {8, 4};
  expect_error(ErrorCode::kShapeMismatch, {"8x4", "4x2", "--model"},
               [&] { return replay_maps(run_, folder_.path(), 4, at(3), &truth); });
}

TEST_F(ReplayMaps, MissingMapsAreNamedAndOthersRefused) {
  std::filesystem::remove(folder_ / "b.npy");
  const MapReplay one = replay_maps(run_, folder_.path(), 4, at(3), nullptr);
  EXPECT_THAT(one.missing, ElementsAre("b.png"));
  EXPECT_FALSE(one.regions[1]);
  write_npy(folder_ / "b.npy", {2, 2, {0, 0, 0, 0}});
  expect_error(ErrorCode::kShapeMismatch, {"b.npy", "2x2", "4x2", "--maps"},
               [&] { return replay_maps(run_, folder_.path(), 4, at(3), nullptr); });
  const test::TempDir empty;
  expect_error(ErrorCode::kNotFound, {"not one image", "--save-maps"},
               [&] { return replay_maps(run_, empty.path(), 4, at(3), nullptr); });
}

class Labels : public ::testing::Test {
 protected:
  Labels() {
    for (const char* file : {"test/good/0.png", "test/crack/0.png", "train/good/0.png"}) {
      test::write_bytes(folder_ / "set" / file, "");
    }
  }
  StoredRun run(const std::vector<std::string>& names) {
    StoredRun result{.name = "run"};
    for (const std::string& name : names) result.frames.push_back({.name = name});
    return result;
  }
  test::TempDir folder_;
};

TEST_F(Labels, AreFoundWhereverTheSetLayWhenItWasScored) {
  StoredRun scored = run({"/elsewhere/test/good/0.png", "test/crack/0.png",
                          "/elsewhere/train/good/0.png", "/elsewhere/test/crack/1.png"});
  const Dataset data = list_dataset(folder_ / "set");
  const auto items = label_frames(scored, data, folder_ / "set");
  EXPECT_EQ(scored.frames[0].kind, "good");
  EXPECT_FALSE(scored.frames[0].defective);
  EXPECT_EQ(scored.frames[1].kind, "crack");
  EXPECT_TRUE(scored.frames[1].defective);
  EXPECT_FALSE(scored.frames[2].labelled());  // a training image is not tested with
  EXPECT_FALSE(scored.frames[3].labelled());
  EXPECT_EQ(items[3], nullptr);
}

TEST_F(Labels, APlainFolderIsGoodParts) {
  StoredRun scored = run({"/elsewhere/good/0.png"});
  const auto root = folder_ / "set" / "test" / "good";
  label_frames(scored, list_dataset(root), root);
  EXPECT_EQ(scored.frames[0].kind, "good");
}

TEST_F(Labels, OfAnotherSetAreRefused) {
  StoredRun scored = run({"/elsewhere/test/scratch/0.png"});
  expect_error(ErrorCode::kNotFound, {"Not one image", "test/scratch/0.png", "--data"},
               [&] { label_frames(scored, list_dataset(folder_ / "set"), folder_ / "set"); });
}

}  // namespace
}  // namespace uad

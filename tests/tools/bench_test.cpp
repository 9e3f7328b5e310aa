// SPDX-License-Identifier: LGPL-2.1-or-later
// `uad bench` and `uad tune` from outside.
#include <cstdlib>

#include <gmock/gmock.h>

#include "tests/tools/uad_fixture.h"

namespace uad {
namespace {

using nlohmann::json;
using test::read_json;
using test::run_uad;
using test::Uad;
using ::testing::HasSubstr;

TEST_F(Uad, BenchMeasuresEverySettingOnce) {
  const std::string file = folder_ / "b.json";
  const auto result = run_uad({"bench", model(), "--threads", "2,1,2", "--precision", "model,fp32",
                               "--frame-size", "320x200", "--rounds", "3", "--json", file});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("model.uad"));
  const json bench = read_json(file);
  ASSERT_EQ(bench["measurements"].size(), 2U);  // both precisions are float32
  EXPECT_EQ(bench["measurements"][0]["threads"], 1);
  EXPECT_EQ(bench["measurements"][1]["threads"], 2);
  EXPECT_EQ(bench["frame"], (json{{"width", 320}, {"height", 200}}));
  for (const json& one : bench["measurements"]) {
    EXPECT_EQ(one["precision"], "fp32");
    EXPECT_EQ(one["shift"], 0.0);
    EXPECT_GT(one["analyse_ms"]["median"], 0.0);
    EXPECT_GE(one["analyse_ms"]["p99"], one["analyse_ms"]["median"]);
    EXPECT_TRUE(one["image_auroc"].is_null());
  }
  EXPECT_GT(bench["first_result_ms"], 0.0);
  EXPECT_GT(bench["peak_memory_bytes"], 50e6);
  EXPECT_GE(bench["machine"]["cores"], 1);
}

TEST_F(Uad, TunePrintsAPipelineThatRuns) {
  const std::string file = folder_ / "t.json";
  const auto result =
      run_uad({"tune", model(), "--threads", "1", "--rounds", "2", "--fps", "20", "--cameras", "2",
               "--source", "videotestsrc num-buffers=5 ! video/x-raw,width=320,height=240",
               "--json", file});
  ASSERT_EQ(result.code, 0) << result.err;
  const json tuned = read_json(file);
  const double interval = tuned["choice"]["interval"];
  EXPECT_GE(interval, 1);
  EXPECT_DOUBLE_EQ(tuned["choice"]["analysed_per_second"], 20 / interval);
  std::string line = tuned["pipeline"];
  EXPECT_THAT(result.out, HasSubstr(line));
  for (std::size_t at = 0; (at = line.find("autovideosink", at)) != std::string::npos;) {
    line.replace(at, 13, "fakesink");
  }
  EXPECT_EQ(std::system((line + " >/dev/null").c_str()), 0) << line;
}

TEST_F(Uad, TuneJudgesByAurocOnALabelledSet) {
  const std::string worse = folder_ / "worse.uad";
  ASSERT_EQ(run_uad({"train", "--data", data(), "--backbone", "gabor", "--resize", "32x32", "--k",
                     "5", "--do-eval", "false", "--output", worse})
                .code,
            0);
  const std::string file = folder_ / "t.json";
  const auto result = run_uad({"tune", model(), worse, "--data", data(), "--threads", "1",
                               "--rounds", "1", "--tolerance", "0", "--json", file});
  ASSERT_EQ(result.code, 0) << result.err;
  const json tuned = read_json(file);
  const json& both = tuned["measurements"];
  ASSERT_EQ(both.size(), 2U);
  const double first = both[0]["image_auroc"];
  const double second = both[1]["image_auroc"];
  const json& chosen = both[tuned["choice"]["measurement"].get<std::size_t>()];
  EXPECT_EQ(chosen["image_auroc"], std::max(first, second));
  EXPECT_EQ(tuned["choice"]["refused"].size(), first == second ? 0U : 1U);
}

TEST_F(Uad, BenchAndTuneRefuseWhatMeansNothing) {
  EXPECT_EQ(run_uad({"bench"}).code, 2);
  EXPECT_THAT(run_uad({"bench", model(), "--threads", "0"}).err, HasSubstr("threads"));
  EXPECT_THAT(run_uad({"bench", model(), "--threads", "1,x"}).err, HasSubstr("threads"));
  EXPECT_THAT(run_uad({"bench", model(), "--precision", "int4"}).err, HasSubstr("int4"));
  EXPECT_THAT(run_uad({"bench", folder_ / "none.uad"}).err, HasSubstr("none.uad"));
  EXPECT_THAT(run_uad({"bench", model(), "--frame-size", "0"}).err,
              HasSubstr("--frame-size is 0x0"));
  EXPECT_THAT(run_uad({"tune", model(), "--fps", "0"}).err, HasSubstr("--fps is 0"));
  const auto several = run_uad({"tune", model(), model()});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("give --data"));
}

}  // namespace
}  // namespace uad

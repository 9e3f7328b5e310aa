// SPDX-License-Identifier: LGPL-2.1-or-later
// `uad demo` does the project's main job on a machine with nothing but the project.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/tools/demo_run.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(Demo, LearnsItsOwnDefectsAndRecordsTheVideo) {
  const test::ProgramResult& result = test::demo_run().result;
  ASSERT_EQ(result.code, 0) << result.err;
  const fs::path out = test::demo_run().output;
  const auto metrics = nlohmann::json::parse(test::read_bytes(out / "metrics.json"));
  EXPECT_GE(metrics["image_auroc"], 0.95);
  EXPECT_GE(metrics["pixel_auroc"], 0.95);
  EXPECT_GE(metrics["video"]["frame_auroc"], 0.95);
  EXPECT_EQ(metrics["video"]["frames"].size(), 300U);
  EXPECT_EQ(files_in(out / "dataset" / "train" / "good"), 40U);
  EXPECT_EQ(files_in(out / "dataset" / "test" / "good"), 20U);
  for (const char* kind : {"scratch", "stain", "dent"}) {
    EXPECT_EQ(files_in(out / "dataset" / "test" / kind), 10U);
    EXPECT_EQ(files_in(out / "dataset" / "ground_truth" / kind), 10U);
  }
  EXPECT_GT(fs::file_size(out / "report.html"), 50000U);
  EXPECT_GT(fs::file_size(out / "annotated.mp4"), 100000U);
  EXPECT_THAT(result.out, HasSubstr("gst-launch-1.0 filesrc"));
  EXPECT_EQ(test::run_uad({"info", out / "model.uad", "--verify"}).code, 0);
}

}  // namespace
}  // namespace uad

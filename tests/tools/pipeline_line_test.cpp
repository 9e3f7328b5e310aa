// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pipeline_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace uad::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LineSettings settings() {
  return {.model = "part.uad",
          .source = "v4l2src device=/dev/video{n}",
          .precision = "fp32",
          .device = "cpu",
          .threads = 2,
          .cameras = 2,
          .interval = 3};
}

TEST(PipelineLine, HasABranchForEveryCamera) {
  const std::string line = pipeline_line(settings());
  EXPECT_THAT(line, HasSubstr("device=/dev/video0 ! videoconvert ! uadinfer model=part.uad"));
  EXPECT_THAT(line, HasSubstr("device=/dev/video1 ! videoconvert ! uadinfer model=part.uad"));
  EXPECT_THAT(line, Not(HasSubstr("video2")));
  EXPECT_THAT(line, HasSubstr("device=cpu precision=fp32 threads=2 interval=3"));
}

TEST(PipelineLine, PathsAreQuotedForShellAndLaunchLine) {
  LineSettings odd = settings();
  odd.model = "new parts/it's \"one\".uad";
  EXPECT_THAT(pipeline_line(odd), HasSubstr(R"(model='"new parts/it'\''s \"one\".uad"')"));
}

}  // namespace
}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Collects the warnings of its lifetime.
class Warnings {
 public:
  Warnings() {
    set_log_sink([this](LogLevel level, const std::string& line) {
      if (level == LogLevel::kWarning) lines.push_back(line);
    });
  }
  ~Warnings() { set_log_sink({}); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  std::vector<std::string> lines;
};

TEST(Precision, TheModelsOwnIsTakenWhereItCanBeComputed) {
  const Warnings warnings;
  EXPECT_EQ(resolve_precision("model", "bf16", "cpu", true), "bf16");
  EXPECT_EQ(resolve_precision("model", "fp32", "cpu", false), "fp32");
  EXPECT_EQ(resolve_precision("model", "fp16", "cuda:0", false), "fp16");
  EXPECT_EQ(resolve_precision("bf16", "fp32", "cpu", true), "bf16");
  EXPECT_TRUE(warnings.lines.empty());
}

TEST(Precision, FallsBackToFp32WithOneWarningWhereTheCpuLacksTheModels) {
  const Warnings warnings;
  EXPECT_EQ(resolve_precision("model", "bf16", "cpu", false), "fp32");
  EXPECT_THAT(warnings.lines, ElementsAre(HasSubstr("calibrated in bf16")));
  EXPECT_EQ(resolve_precision("model", "fp16", "cpu", true), "fp32");
  EXPECT_EQ(warnings.lines.size(), 2U);
}

TEST(Precision, WhatIsAskedForByNameAndLackingIsAnError) {
  test::expect_error(ErrorCode::kNoDevice, {"bf16", "AVX-512", "precision to model"},
                     [] { static_cast<void>(resolve_precision("bf16", "fp32", "cpu", false)); });
  test::expect_error(ErrorCode::kNoDevice, {"fp16", "CUDA"},
                     [] { static_cast<void>(resolve_precision("fp16", "fp32", "cpu", true)); });
  test::expect_error(ErrorCode::kBadOption, {"int4", "fp32"},
                     [] { static_cast<void>(resolve_precision("int4", "fp32", "cpu", true)); });
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/log.h"

#include <gtest/gtest.h>

namespace {

TEST(Log, LineReachesTheSinkWithItsLevel) {
  uad::LogLevel level = uad::LogLevel::kTrace;
  std::string line;
  uad::set_log_sink([&](uad::LogLevel l, const std::string& text) { level = l, line = text; });
  uad::log(uad::LogLevel::kWarning, "bank is empty");
  uad::set_log_sink({});
  EXPECT_EQ(level, uad::LogLevel::kWarning);
  EXPECT_EQ(line, "bank is empty");
}

TEST(Log, EmptySinkDropsTheLine) {
  uad::set_log_sink({});
  EXPECT_NO_THROW(uad::log(uad::LogLevel::kError, "nobody listens"));
}

}  // namespace

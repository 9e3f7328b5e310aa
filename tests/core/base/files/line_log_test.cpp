// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/line_log.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace uad::testing {
namespace {

TEST(LineLog, GoesOnAtTheEndOfTheFile) {
  const test::TempDir folder;
  const auto file = folder / "log";
  LineLog(file).append("one");
  LineLog log(file);
  log.append("two");
  EXPECT_EQ(lines_of(file), (std::vector<std::string>{"one", "two"})) << "while it is still open";
}

TEST(LineLog, FolderThatIsNotThereIsAnErrorThatNamesTheFile) {
  try {
    const LineLog log("/nowhere/log");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/log"), std::string::npos);
  }
}

TEST(LineLog, FullDiskIsAnErrorThatSaysSo) {
  LineLog log("/dev/full");
  try {
    log.append("line");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace uad::testing

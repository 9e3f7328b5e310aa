// SPDX-License-Identifier: LGPL-2.1-or-later
// What README.md and docs/replay.md show is run, on what `uad demo` leaves behind.
#include <cstdlib>
#include <regex>

#include <gtest/gtest.h>

#include "tests/tools/demo_run.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

/// The `gst-launch-1.0` commands of the page, with their continuation lines joined.
std::vector<std::string> launch_lines(std::string page) {
  page = std::regex_replace(page, std::regex("\\\\\n\\s*"), "");
  std::vector<std::string> lines;
  const std::regex command("(^|\n)(gst-launch-1\\.0 [^\n]*)");
  for (auto it = std::sregex_iterator(page.begin(), page.end(), command);
       it != std::sregex_iterator(); ++it) {
    lines.push_back((*it)[2]);
  }
  return lines;
}

/// The `uad` commands of the page.
std::vector<std::string> uad_lines(const std::string& page) {
  std::vector<std::string> lines;
  const std::regex command("(^|\n)(uad [^\n]*)");
  for (auto it = std::sregex_iterator(page.begin(), page.end(), command);
       it != std::sregex_iterator(); ++it) {
    lines.push_back((*it)[2]);
  }
  return lines;
}

/// There is neither camera nor screen where tests run.
std::string without_hardware(std::string line) {
  line = std::regex_replace(
      line, std::regex("v4l2src"),
      "videotestsrc is-live=true num-buffers=15 ! video/x-raw,width=640,height=360");
  return std::regex_replace(line, std::regex("autovideosink"), "fakesink");
}

TEST(Readme, PipelinesRunOnWhatTheDemoLeaves) {
  const test::DemoRun& demo = test::demo_run();
  ASSERT_EQ(demo.result.code, 0) << demo.result.err;
  const test::TempDir& folder = demo.folder;
  const std::string root = std::getenv("UAD_SOURCE_ROOT");
  const auto lines = launch_lines(test::read_bytes(fs::path(root) / "README.md"));
  ASSERT_GE(lines.size(), 3U);
  for (const std::string& line : lines) {
    const std::string command =
        "cd '" + folder.path().string() + "' && " + without_hardware(line) + " >log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << line << "\n" << test::read_bytes(folder / "log");
  }
  EXPECT_GT(fs::file_size(folder / "annotated.mp4"), 100000U);
}

TEST(ReplayPage, CommandsRunOnWhatTheDemoLeaves) {
  const test::DemoRun& demo = test::demo_run();
  ASSERT_EQ(demo.result.code, 0) << demo.result.err;
  const test::TempDir& folder = demo.folder;
  test::write_bytes(folder / "verdicts.jsonl",
                    "{\"frame\": 0, \"verdict\": \"PASS\", \"score\": 1.5}\n");
  const fs::path page = fs::path(std::getenv("UAD_SOURCE_ROOT")) / "docs" / "replay.md";
  const auto lines = uad_lines(test::read_bytes(page));
  ASSERT_GE(lines.size(), 6U);
  for (const std::string& line : lines) {
    const std::string command = "cd '" + folder.path().string() + "' && '" +
                                std::getenv("UAD_PROGRAM") + "'" + line.substr(3) + " >log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << line << "\n" << test::read_bytes(folder / "log");
  }
  EXPECT_TRUE(fs::exists(folder / "what-if.html"));
}

TEST(Readme, EveryLinkLeadsSomewhere) {
  const fs::path root = std::getenv("UAD_SOURCE_ROOT");
  const std::string page = test::read_bytes(root / "README.md");
  const std::regex link("\\]\\(([^)#]+)\\)");
  int links = 0;
  for (auto it = std::sregex_iterator(page.begin(), page.end(), link); it != std::sregex_iterator();
       ++it, ++links) {
    EXPECT_TRUE(fs::exists(root / (*it)[1].str())) << (*it)[1];
  }
  EXPECT_GT(links, 5);
}

}  // namespace
}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the documentation says of the elements is true: the table of properties, the launch lines.
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

class ElementDocs : public ElementTest {};

TEST_F(ElementDocs, PageAgreesWithTheElements) {
  EXPECT_EQ(std::system(UAD_SOURCE_ROOT "/scripts/gen-element-docs --check"), 0);
}

/// The launch line between |[ and ]| of an element's source.
std::string launch_line(const std::string& element) {
  std::ifstream in(UAD_SOURCE_ROOT "/gst-plugins/" + element + ".cpp");
  std::stringstream text;
  text << in.rdbuf();
  std::smatch found;
  const std::string source = text.str();
  if (!std::regex_search(source, found,
                         std::regex(R"(\|\[\n \* gst-launch-1.0 ((?:.|\n)*?)\n \* \]\|)"))) {
    return "";
  }
  return std::regex_replace(found[1].str(), std::regex(R"(\\\n \*)"), "");
}

TEST_F(ElementDocs, LaunchLinesRun) {
  const std::string file = model();
  for (const char* element : {"uadpreproc", "uadinfer", "uadoverlay", "uadtrain"}) {
    std::string line = launch_line(element);
    ASSERT_NE(line, "") << element;
    line = std::regex_replace(line, std::regex("^-m "), "");
    line = std::regex_replace(line, std::regex("model.uad"), file);
    line = std::regex_replace(line, std::regex("trained.uad"), (folder() / "trained.uad").string());
    line = std::regex_replace(line, std::regex("autovideosink"), "fakesink");  // no screen here
    EXPECT_EQ(run_pipeline(line), "") << line;
  }
}

}  // namespace
}  // namespace uad::testing

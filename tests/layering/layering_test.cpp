// SPDX-License-Identifier: LGPL-2.1-or-later
// Arrows between the layers point down only. Reads every #include of the project.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::vector<std::string>>;  // file → what it includes, in order

/// What the files of a folder may reach for. The longest matching folder decides.
struct Rule {
  std::string folder;
  std::vector<std::string> may_include;  // folders of ours; its own is always allowed
  std::vector<std::string> banned;       // beginnings of foreign headers
};

const std::vector<std::string> kTorch{"ATen/", "torch/", "c10/", "caffe2/"};
const std::vector<std::string> kGlib{"gst/", "glib", "gio/", "gobject/", "gmodule"};
const std::vector<std::string> kTorchAndGlib{"ATen/", "torch/", "c10/",     "caffe2/", "gst/",
                                             "glib",  "gio/",   "gobject/", "gmodule"};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table{
      {"core/base/", {}, kTorchAndGlib},
      {"core/", {}, kGlib},
      {"models/backbones/", {"core/"}, kGlib},
      {"models/", {"core/", "models/backbones/", "models/registry.h"}, kGlib},
      {"models/registry.cpp", {"core/", "models/"}, kGlib},
      {"models/backend_entry.cpp", {"core/", "models/registry.h", "models/backend_entry.h"}, kGlib},
      {"gst-plugins/meta/", {}, kTorch},
      {"gst-plugins/", {"core/base/"}, kTorch},
      {"tools/", {"core/", "models/", "gst-plugins/common/", "gst-plugins/meta/"}, {}},
  };
  return table;
}

bool begins(std::string_view text, std::string_view with) { return text.starts_with(with); }

/// "models/padim/" of "models/padim/network.cpp": there, a method's own folder.
std::string own_folder(const std::string& file, const Rule& rule) {
  if (rule.folder != "models/") return rule.folder;
  const std::size_t end = file.find('/', rule.folder.size());
  return end == std::string::npos ? file : file.substr(0, end + 1);
}

const Rule* rule_for(const std::string& file) {
  const Rule* best = nullptr;
  for (const Rule& rule : rules()) {
    if (begins(file, rule.folder) && (!best || rule.folder.size() > best->folder.size())) {
      best = &rule;
    }
  }
  return best;
}

/// Empty if `file` may include `header`, else what is wrong with it.
std::string complaint(const std::string& file, const std::string& header) {
  const Rule* const rule = rule_for(file);
  if (!rule) return file + " lies in no layer";
  for (const std::string& beginning : rule->banned) {
    if (begins(header, beginning)) return file + " must not know " + header;
  }
  const bool ours = std::ranges::any_of(
      std::vector{"core/", "models/", "gst-plugins/", "tools/", "tests/", "benchmarks/"},
      [&](const char* root) { return begins(header, root); });
  if (!ours || begins(header, own_folder(file, *rule))) return {};
  const bool allowed = std::ranges::any_of(
      rule->may_include, [&](const std::string& folder) { return begins(header, folder); });
  return allowed ? std::string() : file + " reaches up or sideways to " + header;
}

/// The files of one cycle in order, or nothing.
std::vector<std::string> find_cycle(const Files& files) {
  std::set<std::string> done;
  std::vector<std::string> path;
  const auto visit = [&](const auto& self, const std::string& file) -> bool {
    if (const auto seen = std::ranges::find(path, file); seen != path.end()) {
      path.erase(path.begin(), seen);
      return true;
    }
    const auto found = files.find(file);
    if (found == files.end() || done.contains(file)) return false;
    path.push_back(file);
    for (const std::string& header : found->second) {
      if (self(self, header)) return true;
    }
    path.pop_back();
    done.insert(file);
    return false;
  };
  for (const auto& [file, headers] : files) {
    if (visit(visit, file)) return path;
  }
  return {};
}

Files read_project() {
  const char* const root = std::getenv("UAD_SOURCE_ROOT");
  if (!root) return {};
  static const std::regex include(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
  Files files;
  for (const char* folder : {"core", "models", "gst-plugins", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      const std::string kind = entry.path().extension().string();
      if (kind != ".h" && kind != ".cpp" && kind != ".c" && kind != ".cu") continue;
      auto& headers = files[fs::relative(entry.path(), root).generic_string()];
      std::ifstream text(entry.path());
      std::smatch match;
      for (std::string line; std::getline(text, line);) {
        if (std::regex_search(line, match, include)) headers.push_back(match[1]);
      }
    }
  }
  return files;
}

TEST(Layering, EveryIncludeOfTheProjectPointsDown) {
  const Files files = read_project();
  ASSERT_GT(files.size(), 30U) << "set UAD_SOURCE_ROOT to the folder of the root meson.build";
  for (const auto& [file, headers] : files) {
    for (const std::string& header : headers) EXPECT_EQ(complaint(file, header), "");
  }
}

TEST(Layering, NoFilesIncludeEachOther) {
  const auto cycle = find_cycle(read_project());
  EXPECT_TRUE(cycle.empty()) << testing::PrintToString(cycle);
}

TEST(LayeringRules, DownwardEdgesAreFine) {
  EXPECT_EQ(complaint("core/base/pixels/image.cpp", "core/base/pixels/image.h"), "");
  EXPECT_EQ(complaint("core/base/pixels/image.cpp", "opencv2/imgproc.hpp"), "");
  EXPECT_EQ(complaint("core/files/a.cpp", "core/base/error.h"), "");
  EXPECT_EQ(complaint("core/trainer.cpp", "ATen/ATen.h"), "");
  EXPECT_EQ(complaint("models/padim/padim.cpp", "core/method.h"), "");
  EXPECT_EQ(complaint("models/padim/padim.cpp", "models/padim/scoring.h"), "");
  EXPECT_EQ(complaint("models/padim/padim.cpp", "models/backbones/resnet.h"), "");
  EXPECT_EQ(complaint("models/registry.cpp", "models/padim/padim.h"), "");
  EXPECT_EQ(complaint("gst-plugins/uadinfer.cpp", "core/base/backend.h"), "");
  EXPECT_EQ(complaint("gst-plugins/meta/gstuadresultmeta.h", "gst/gst.h"), "");
  EXPECT_EQ(complaint("tools/uad.cpp", "models/registry.h"), "");
}

TEST(LayeringRules, UpwardAndSidewaysEdgesAreFound) {
  EXPECT_NE(complaint("core/base/pixels/image.cpp", "core/preprocessor.h"), "");
  EXPECT_NE(complaint("core/trainer.cpp", "models/registry.h"), "");
  EXPECT_NE(complaint("core/trainer.cpp", "gst-plugins/common/ptr.h"), "");
  EXPECT_NE(complaint("models/padim/padim.cpp", "models/stfpm/network.h"), "");
  EXPECT_NE(complaint("models/backbones/resnet.cpp", "models/padim/padim.h"), "");
  EXPECT_NE(complaint("gst-plugins/uadinfer.cpp", "core/preprocessor.h"), "");
  EXPECT_NE(complaint("gst-plugins/uadinfer.cpp", "models/registry.h"), "");
  EXPECT_NE(complaint("gst-plugins/meta/gstuadresultmeta.h", "core/base/results/verdict.h"), "");
  EXPECT_NE(complaint("tools/uad.cpp", "gst-plugins/uadinfer.h"), "");
  EXPECT_NE(complaint("core/base/pixels/image.cpp", "tests/support.h"), "");
}

TEST(LayeringRules, ForeignHeadersStayInTheirLayer) {
  EXPECT_NE(complaint("core/base/pixels/image.cpp", "ATen/ATen.h"), "");
  EXPECT_NE(complaint("core/base/pixels/image.cpp", "torch/types.h"), "");
  EXPECT_NE(complaint("core/base/log.cpp", "glib.h"), "");
  EXPECT_NE(complaint("core/trainer.cpp", "gst/gst.h"), "");
  EXPECT_NE(complaint("models/padim/padim.cpp", "glib-object.h"), "");
  EXPECT_NE(complaint("gst-plugins/uadinfer.cpp", "c10/core/Device.h"), "");
  EXPECT_NE(complaint("gst-plugins/meta/gstuadresultmeta.h", "ATen/ATen.h"), "");
}

TEST(LayeringRules, CyclesAreFoundWithTheirFiles) {
  const Files round{{"a.h", {"b.h"}}, {"b.h", {"c.h", "vector"}}, {"c.h", {"b.h"}}};
  EXPECT_EQ(find_cycle(round), (std::vector<std::string>{"b.h", "c.h"}));
  const Files tree{{"a.h", {"b.h", "c.h"}}, {"b.h", {"c.h"}}, {"c.h", {}}};
  EXPECT_TRUE(find_cycle(tree).empty());
}

}  // namespace

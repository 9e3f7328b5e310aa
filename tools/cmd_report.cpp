// SPDX-License-Identifier: LGPL-2.1-or-later
// uad report: evaluations that were made before, side by side in one HTML file.
#include <filesystem>

#include <fmt/format.h>

#include "core/eval/report/run.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/report_file.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(A RUN is a file written by uad eval --json.

Examples:
  uad report monday.json --output monday.html
  uad report resnet18.json gabor.json --output compare.html --title "Which backbone?")";

Syntax report_syntax() {
  Syntax syntax;
  syntax.name = "report";
  syntax.summary = "Puts evaluations into one HTML file, without running a model.";
  syntax.positional = "RUN";
  syntax.needs_positional = true;
  syntax.examples = kExamples;
  syntax.options = {
      {.name = "output", .help = "the HTML file"},
      {.name = "title", .help = "heading of the page"},
  };
  syntax.elsewhere = all_keys();
  return syntax;
}

}  // namespace

int run_report(const Args& args) {
  const Arguments arguments = parse_arguments(report_syntax(), args);
  const std::string output = arguments.text("output");
  if (output.empty()) throw UsageError("--output is missing: the HTML file to write.");
  prepare_output(output, "--output");
  std::vector<fs::path> files;
  for (const std::string& path : arguments.paths) {
    std::error_code ignored;
    if (fs::equivalent(path, output, ignored)) {
      throw UsageError(
          fmt::format("--output \"{}\" is one of the runs; name another file.", output));
    }
    files.emplace_back(path);
  }
  write_report(output, report::read_runs(files), arguments.text("title"));
  return 0;
}

}  // namespace uad::tools

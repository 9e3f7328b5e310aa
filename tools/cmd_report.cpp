// SPDX-License-Identifier: LGPL-2.1-or-later
// uad report: evaluations that were made before, side by side in one HTML file.
#include <filesystem>

#include <fmt/format.h>

#include "core/eval/report/protocol_run.h"
#include "core/eval/report/run.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/report_file.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples =
    R"(A RUN is a file written by uad eval --json, or the protocol.json of uad train --protocol.

Examples:
  uad report monday.json --output monday.html
  uad report iuf/protocol.json joint/protocol.json --output growth.html
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

/// Of models that learnt product by product; none if the first file is another run.
/// @throws UsageError if later ones are.
std::vector<report::ProtocolRun> protocol_runs(const std::vector<fs::path>& files) {
  std::vector<report::ProtocolRun> runs;
  for (const fs::path& file : files) {
    const nlohmann::json record = report::read_record(file);
    if (report::is_protocol_record(record)) {
      runs.push_back(report::parse_protocol_run(record, file.string()));
      continue;
    }
    if (runs.empty()) return runs;
    throw UsageError(
        fmt::format("\"{}\" is of one evaluation, \"{}\" of a whole protocol. Make two reports.",
                    file.string(), files.front().string()));
  }
  return runs;
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
  const std::vector<report::ProtocolRun> protocols = protocol_runs(files);
  if (protocols.empty()) {
    write_report(output, report::read_runs(files), arguments.text("title"));
  } else {
    write_report(output, protocols, arguments.text("title"));
  }
  return 0;
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// uad bench: what models cost on this machine.
#include "tools/arguments.h"
#include "tools/bench_run.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  uad bench part.uad
  uad bench part.uad --frame-size 1920x1080 --threads 1,2 --json bench.json
  uad bench small.uad large.uad --data parts/)";

Syntax bench_syntax() {
  Syntax syntax;
  syntax.name = "bench";
  syntax.summary = "Measures models on this machine over precisions and thread counts.";
  syntax.positional = "MODEL...";
  syntax.needs_positional = true;
  syntax.examples = kExamples;
  syntax.options = bench_specs();
  syntax.elsewhere = all_keys();
  return syntax;
}

}  // namespace

int run_bench(const Args& args) {
  const Arguments arguments = parse_arguments(bench_syntax(), args);
  const std::string json = arguments.text("json");
  prepare_output(json, "--json");
  const BenchRun run = run_bench_of(arguments);
  if (json != "-") print_bench(run);
  if (!json.empty()) write_json(json, to_json(run));
  return 0;
}

}  // namespace uad::tools

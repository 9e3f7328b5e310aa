// SPDX-License-Identifier: LGPL-2.1-or-later
// uad tune: the settings that keep up with the cameras on this machine, as a pipeline.
#include <fmt/format.h>

#include "core/tuning/choice.h"
#include "tools/arguments.h"
#include "tools/bench_run.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/pipeline_line.h"

namespace uad::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  uad tune part.uad --fps 30 --cameras 2
  uad tune part.uad --data parts/ --fps 60 --json tuned.json
  uad tune k1.uad k5.uad k10.uad --data parts/ --fps 25)";

Syntax tune_syntax() {
  const Demand usual;
  Syntax syntax;
  syntax.name = "tune";
  syntax.summary =
      "Measures models on this machine and prints the pipeline that keeps up with the cameras. Of "
      "several models (other banks, sizes, windows) the fastest whose quality holds is taken.";
  syntax.positional = "MODEL...";
  syntax.needs_positional = true;
  syntax.examples = kExamples;
  syntax.options = join({{{.name = "fps",
                           .type = OptionType::kFloat,
                           .default_value = usual.fps,
                           .help = "frames a second of each camera"},
                          {.name = "cameras",
                           .type = OptionType::kInt,
                           .default_value = usual.cameras,
                           .help = "that share the model on this machine",
                           .minimum = 1,
                           .maximum = 64},
                          {.name = "busy",
                           .type = OptionType::kFloat,
                           .default_value = usual.busy,
                           .help = "share of the time that may be spent on analysing, 0 to 1"},
                          {.name = "tolerance",
                           .type = OptionType::kFloat,
                           .default_value = usual.tolerance,
                           .help = "image AUROC that may be lost, on a labelled --data"},
                          {.name = "shift",
                           .type = OptionType::kFloat,
                           .default_value = usual.shift,
                           .help = "that normalised scores may change by, without labels"},
                          {.name = "source",
                           .default_value = "v4l2src device=/dev/video{n}",
                           .help = "of the pipeline; {n} = number of the camera, from 0"}},
                         bench_specs()});
  syntax.elsewhere = all_keys();
  return syntax;
}

Demand demand_of(const Arguments& args) {
  return {.fps = args.get<double>("fps"),
          .cameras = args.get<int>("cameras"),
          .busy = args.get<double>("busy"),
          .tolerance = args.get<double>("tolerance"),
          .shift = args.get<double>("shift")};
}

std::string line_of(const Arguments& args, const Demand& demand, const Measurement& chosen,
                    const Choice& choice) {
  return pipeline_line({.model = chosen.file.string(),
                        .source = args.text("source"),
                        .precision = chosen.precision,
                        .device = chosen.device,
                        .threads = chosen.threads,
                        .cameras = demand.cameras,
                        .interval = choice.interval});
}

void print_choice(const Demand& demand, const Measurement& chosen, const Choice& choice,
                  const std::string& line) {
  fmt::print("\n");
  for (const std::string& fault : choice.refused) fmt::print("left out    {}\n", fault);
  fmt::print("chosen      {} in {}, {} threads: {:.1f} ms a frame\n", chosen.file.string(),
             chosen.precision, chosen.threads, chosen.frame_ms());
  fmt::print(
      "per camera  {:.1f} of {:.1f} frames a second are analysed (interval={}); {} cameras keep "
      "the network busy {:.0f} % of the time\n\n{}\n",
      choice.analysed, demand.fps, choice.interval, demand.cameras, choice.busy * 100, line);
}

}  // namespace

int run_tune(const Args& args) {
  const Arguments arguments = parse_arguments(tune_syntax(), args);
  const std::string json = arguments.text("json");
  prepare_output(json, "--json");
  const Demand demand = demand_of(arguments);
  check(demand);
  const bool several = arguments.paths.size() > 1;
  if (several && !arguments.has("data")) {
    throw UsageError(
        "Which of several models is good enough shows only on labelled images: give --data.");
  }
  const BenchRun run = run_bench_of(arguments);
  if (several && !run.labelled) {
    throw UsageError(fmt::format("\"{}\" has no labels, which choosing from several models needs.",
                                 arguments.text("data")));
  }
  const Choice choice = choose(run.measurements, demand);
  const Measurement& chosen = run.measurements[choice.measurement];
  const std::string line = line_of(arguments, demand, chosen, choice);
  if (json != "-") {
    print_bench(run);
    print_choice(demand, chosen, choice, line);
  }
  if (!json.empty()) {
    nlohmann::json record = to_json(run);
    record["demand"] = uad::to_json(demand);
    record["choice"] = uad::to_json(choice);
    record["pipeline"] = line;
    write_json(json, record);
  }
  return 0;
}

}  // namespace uad::tools

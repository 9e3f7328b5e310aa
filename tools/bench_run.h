// SPDX-License-Identifier: LGPL-2.1-or-later
// What `uad bench` and `uad tune` have in common: which models are measured, on which frames, over
// which settings.
#pragma once

#include <string>
#include <vector>

#include "core/tuning/machine.h"
#include "core/tuning/measurement.h"
#include "tools/arguments.h"

namespace uad::tools {

/// precision, threads, device, frame_size, rounds, json and those of data sets.
std::vector<OptionSpec> bench_specs();

struct BenchRun {
  MachineFacts machine;
  Size frame;  ///< of the first frame
  std::size_t frames = 0;
  std::vector<Measurement> measurements;
  double first_result_ms = 0;    ///< from the start of the process, with the first setting
  std::int64_t peak_memory = 0;  ///< of the process by then, bytes
  bool labelled = false;         ///< image AUROC was measured
};

/// Measures every model given as a path. Thread counts rise, since the pool never shrinks.
/// @throws UsageError for a wrong list; what loading and measuring throw.
BenchRun run_bench_of(const Arguments& args);

/// Table and remarks on stdout.
void print_bench(const BenchRun& run);

nlohmann::json to_json(const BenchRun& run);

}  // namespace uad::tools

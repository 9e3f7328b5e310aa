// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/bench_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "core/device.h"
#include "core/eval/evaluation.h"
#include "core/exec/thread_pool.h"
#include "core/preprocessor.h"
#include "core/self_test.h"
#include "models/registry.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/data_sets.h"

namespace uad::tools {
namespace {

constexpr std::size_t kMostFrames = 16;  // kept in memory, and measured in each round

std::vector<std::string> items_of(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream text(list);
  for (std::string item; std::getline(text, item, ',');) items.push_back(item);
  return items;
}

/// The thread counts to try, rising. "" = powers of two up to the number of cores, and that.
std::vector<int> thread_counts(const std::string& list, int cores) {
  std::set<int> counts;
  if (list.empty()) {
    for (int count = 1; count < cores; count *= 2) counts.insert(count);
    counts.insert(cores);
  }
  OptionSpec each{.name = "threads", .type = OptionType::kInt, .minimum = 1, .maximum = 1024};
  for (const std::string& item : items_of(list)) {
    counts.insert(parse_option(each, item).get<int>());
  }
  return {counts.begin(), counts.end()};
}

/// "" = the model's own, float32, and what the CPU computes faster than that.
std::vector<std::string> precisions(const std::string& list) {
  if (!list.empty()) return items_of(list);
  std::vector<std::string> names{"model", "fp32"};
  if (cpu_has_fast_bf16()) names.emplace_back("bf16");
  return names;
}

Size drawn_size(const Arguments& args) {
  const nlohmann::json size = args.options.at("frame_size");
  const Size result{size[1].get<int>(), size[0].get<int>()};
  if (!result.empty()) return result;
  throw UsageError(fmt::format("--frame-size is {}, expected at least 1x1.", to_string(result)));
}

/// Frames to measure with: up to 16 of the set, spread over it, or a drawn one.
struct Frames {
  std::vector<LabelledFrame> read;
  Image drawn;

  [[nodiscard]] std::vector<FrameView> views() const {
    if (read.empty()) return {view(drawn)};
    std::vector<FrameView> result;
    for (const LabelledFrame& frame : read) result.push_back(frame.view);
    return result;
  }
};

Frames read_frames(FrameSource& source) {
  Frames frames;
  const std::size_t step = std::max<std::size_t>(1, source.size() / kMostFrames);
  for (std::size_t i = 0; auto frame = source.next(); ++i) {
    if (i % step == 0) frames.read.push_back(std::move(*frame));
    if (frames.read.size() == kMostFrames) break;
  }
  return frames;
}

std::vector<std::filesystem::path> model_files(const Arguments& args) {
  if (args.paths.empty()) throw UsageError("Name one model file (.uad) or several.");
  return {args.paths.begin(), args.paths.end()};
}

/// Fills in image AUROC, for all measurements of the same model and precision.
void judge(const std::vector<Contestant>& contestants, const CategoryData& data,
           const Arguments& args, std::vector<Measurement>& measurements) {
  for (const Contestant& one : contestants) {
    const Manifest& manifest = one.model->manifest();
    const auto test = open_split(data, judged_split(manifest.method), args);
    ProgressBar bar;
    const Evaluation found =
        evaluate(*one.model, TilePreprocessor({manifest.input, one.model->mask()}), *test,
                 {.pixels = false, .progress = bar.callback()});
    for (Measurement& measurement : measurements) {
      const bool same =
          measurement.file == one.file && measurement.precision == one.model->precision();
      if (same) measurement.image_auroc = found.image_auroc;
    }
  }
}

}  // namespace

std::vector<OptionSpec> bench_specs() {
  return join(
      {{{.name = "precision",
         .help = "formats to try, by commas: model, fp32, bf16, fp16 [those that pay here]"},
        {.name = "threads", .help = "thread counts to try, by commas [1, 2, 4 … and one per core]"},
        {.name = "device", .default_value = "auto", .help = "auto, cpu, cuda, cuda:N or gpu"},
        {.name = "frame_size",
         .type = OptionType::kSize,
         .default_value = {480, 640},
         .help = "of the drawn frame to measure with where there is no --data"},
        {.name = "rounds",
         .type = OptionType::kInt,
         .help = "passes over the frames (at most 16) [as many as make 32 frames]",
         .minimum = 1,
         .maximum = 100000},
        {.name = "json", .help = "write every figure as JSON; - = stdout"}},
       data_specs()});
}

BenchRun run_bench_of(const Arguments& args) {
  BenchRun run{.machine = this_machine()};
  const auto threads = thread_counts(args.text("threads"), run.machine.cores);
  Frames frames;
  std::vector<CategoryData> data;
  if (args.has("data")) {
    data = find_data(args);
    if (data.size() != 1) throw UsageError("--category names several sets; measure with one.");
    run.labelled = has_test_images(data.front(), false);
  }
  use_threads(threads.front());
  const auto contestants = load_contestants(model_files(args), precisions(args.text("precision")),
                                            execution_device(args), models::method_table(), {});
  const Model& first = *contestants.front().model;
  if (data.empty()) {
    frames.drawn = procedural_frame(drawn_size(args));
  } else {
    const auto source = open_split(data.front(), judged_split(first.manifest().method), args);
    frames = read_frames(*source);
  }
  const std::vector<FrameView> views = frames.views();
  if (!views.empty()) {
    const TilePreprocessor preprocessor({first.manifest().input, first.mask()});
    static_cast<void>(first.analyse(*preprocessor.cut(views.front())));
    run.frame = {views.front().width, views.front().height};
  }
  run.first_result_ms = process_age_ms();
  run.frames = views.size();
  constexpr std::size_t kLeastFrames = 32;
  const int rounds = args.has("rounds") ? args.get<int>("rounds")
                                        : static_cast<int>((kLeastFrames + views.size() - 1) /
                                                           std::max<std::size_t>(1, views.size()));
  ProgressBar bar;
  for (const int count : threads) {
    use_threads(count);
    const auto measured = measure_in_turns(contestants, views, count, rounds, bar.callback(), {});
    run.measurements.insert(run.measurements.end(), measured.begin(), measured.end());
  }
  run.peak_memory = peak_memory();
  if (run.labelled) judge(contestants, data.front(), args, run.measurements);
  return run;
}

void print_bench(const BenchRun& run) {
  fmt::print("machine     {}, {} cores, {}\n", run.machine.cpu, run.machine.cores,
             run.machine.instructions);
  fmt::print("frames      {} of {}x{}\n\n", run.frames, run.frame.width, run.frame.height);
  fmt::print("{:<24} {:>9} {:>7} {:>8} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7}\n", "model", "precision",
             "threads", "cut ms", "analyse", "95 %", "99 %", "frames/s", "shift",
             run.labelled ? "AUROC" : "");
  for (const Measurement& one : run.measurements) {
    fmt::print("{:<24} {:>9} {:>7} {:>8.2f} {:>9.1f} {:>8.1f} {:>8.1f} {:>8.1f} {:>7.3f} {:>7}\n",
               one.file.filename().string(), one.precision, one.threads, one.cut.median,
               one.analyse.median, one.analyse.p95, one.analyse.p99, one.frames_per_second(),
               one.shift,
               std::isnan(one.image_auroc) ? "" : fmt::format("{:.4f}", one.image_auroc));
  }
  fmt::print(
      "\nfirst result {:.0f} ms after the start of the process; peak memory {:.0f} MB with all "
      "of these models\n",
      run.first_result_ms, static_cast<double>(run.peak_memory) / 1e6);
}

nlohmann::json to_json(const BenchRun& run) {
  nlohmann::json measurements = nlohmann::json::array();
  for (const Measurement& one : run.measurements) measurements.push_back(uad::to_json(one));
  return {{"machine", uad::to_json(run.machine)},
          {"frame", {{"width", run.frame.width}, {"height", run.frame.height}}},
          {"frames", run.frames},
          {"first_result_ms", run.first_result_ms},
          {"peak_memory_bytes", run.peak_memory},
          {"measurements", std::move(measurements)}};
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// uad replay: other thresholds over stored scores and maps, without running a model.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/files/manifest.h"
#include "core/base/files/model_mask.h"
#include "core/eval/replay.h"
#include "core/eval/report/run.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/replay_text.h"
#include "tools/report_file.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 20;

constexpr const char* kExamples =
    R"(SCORES is a file of uad eval --json, of uad predict --json, or the JSON lines
that a line logs for its frames (pipelines/reject-gate --log, without --parts).

Examples:
  uad replay metrics.json --reject-threshold 14.2
  uad replay metrics.json --defect-rate 0.01 --cost-false-accept 200 --report cheaper.html
  uad replay scores.json --data parts/ --maps maps/ --threshold 0.6 --model part.uad
  uad replay verdicts.jsonl --model part.uad --reject-threshold 14.2)";

Syntax replay_syntax() {
  Syntax syntax;
  syntax.name = "replay";
  syntax.summary =
      "Verdicts, figures, costs and regions at other thresholds, from stored scores and maps: no "
      "model runs.";
  syntax.positional = "SCORES";
  syntax.needs_positional = true;
  syntax.examples = kExamples;
  syntax.options = join(
      {{{.name = "model",
         .help = "model file, where SCORES hold no thresholds and for pixel figures; it is not "
                 "run",
         .aliases = {"model_path"}}},
       threshold_specs("as stored"),
       {{.name = "data",
         .help = "labelled set (MVTec layout) whose images were scored: labels for SCORES of uad "
                 "predict, masks for --maps",
         .aliases = {"data_path"}},
        {.name = "category", .help = "only this one of a file with several"},
        {.name = "maps", .help = "folder of --save-maps: regions and pixel figures"},
        {.name = "cost_false_reject",
         .type = OptionType::kFloat,
         .default_value = Costs().false_reject,
         .help = "of a good part that is rejected",
         .minimum = 0},
        {.name = "cost_false_accept",
         .type = OptionType::kFloat,
         .default_value = Costs().false_accept,
         .help = "of a defect that is missed",
         .minimum = 0},
        {.name = "defect_rate",
         .type = OptionType::kFloat,
         .help = "share of defective parts on the line, e.g. 0.01 [as in the set]",
         .minimum = 0,
         .maximum = 1},
        {.name = "json",
         .help = "write what uad eval or uad predict would have written, with the comparison under "
                 "\"replay\"; - = stdout"},
        {.name = "report", .help = "write the report of uad eval, one HTML file"}}});
  syntax.elsewhere = all_keys();
  return syntax;
}

/// Contradictions that can be seen before anything is read.
void check(const Arguments& args) {
  if (!args.has("maps") && (args.has("threshold") || args.has("min_area"))) {
    throw UsageError(
        "--threshold and --min-area change regions, which are found in score maps: give the folder "
        "of uad predict --save-maps with --maps.");
  }
}

std::vector<StoredRun> read_runs(const Arguments& args) {
  std::vector<StoredRun> runs;
  for (const std::string& path : args.paths) {
    for (StoredRun& run : read_scores(path)) runs.push_back(std::move(run));
  }
  const std::string category = args.text("category");
  if (category.empty()) return runs;
  std::string names;
  for (const StoredRun& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  std::erase_if(runs, [&](const StoredRun& run) { return run.name != category; });
  if (runs.empty()) {
    throw UsageError(
        fmt::format("--category \"{}\" is not in the file; it has {}.", category, names));
  }
  return runs;
}

/// A raw score means nothing to another model.
void require_one_scale(const std::vector<StoredRun>& runs, const Arguments& args) {
  if (!args.has("warn_threshold") && !args.has("reject_threshold")) return;
  for (const StoredRun& run : runs) {
    if (run.thresholds == runs.front().thresholds) continue;
    throw UsageError(fmt::format(
        "Thresholds are raw scores of one model, but \"{}\" and \"{}\" are of several. Choose one "
        "with --category, or give one file.",
        runs.front().name, run.name));
  }
}

/// A line names a model by its file, without folder and extension.
void require_same_model(const std::vector<StoredRun>& runs, const Arguments& args) {
  if (!args.has("model")) return;
  const fs::path model = args.get<std::string>("model");
  for (const StoredRun& run : runs) {
    if (run.model.empty() || run.model == model.stem()) continue;
    throw UsageError(
        fmt::format("\"{}\" was scored by model \"{}\", but --model is \"{}\": raw scores of two "
                    "models cannot be compared. Give \"{}.uad\".",
                    run.name, run.model, model.string(), run.model));
  }
}

Costs costs_of(const Arguments& args) {
  Costs costs{args.get<double>("cost_false_reject"), args.get<double>("cost_false_accept")};
  if (args.has("defect_rate")) costs.defect_rate = args.get<double>("defect_rate");
  return costs;
}

/// The folder of a category below the one that was given, where there is one.
fs::path folder_of(const std::string& folder, const StoredRun& run) {
  if (!run.is_category) return folder;
  const fs::path own = fs::path(folder) / run.name;
  return fs::is_directory(own) ? own : fs::path(folder);
}

/// Which image of a labelled set each frame shows; `items` points into `data`.
struct Labels {
  Dataset data;
  std::vector<const ImageItem*> items;
};

/// Labels the frames of a run where --data is given. The JSON of uad eval has labels, but no masks.
Labels find_labels(StoredRun& run, const Arguments& args) {
  std::string given = args.text("data");
  if (given.empty() && args.has("maps") && run.source == ScoreFile::kEval) {
    given = run.record.value("data", "");
    if (!fs::is_directory(given)) {
      note(
          fmt::format("no pixel figures: the data set \"{}\" of \"{}\" is not there; say where "
                      "it is with --data",
                      given, run.name));
      return {};
    }
  }
  if (given.empty()) return {};
  const fs::path root = folder_of(given, run);
  Labels labels{list_dataset(root), {}};
  labels.items = label_frames(run, labels.data, root);
  const auto unknown = std::ranges::count(labels.items, nullptr);
  if (unknown > 0) {
    note(fmt::format("{} of {} images of \"{}\" are not in \"{}\" and get no label from it",
                     unknown, labels.items.size(), run.name, root.string()));
  }
  return labels;
}

std::optional<MapReplay> find_regions_again(const StoredRun& run, const Thresholds& now,
                                            const Labels& labels,
                                            const std::optional<Manifest>& manifest,
                                            const Arguments& args) {
  if (!args.has("maps")) return std::nullopt;
  if (!run.thresholds) {
    throw UsageError(fmt::format(
        "\"{}\" does not tell on which scale its maps are: give the model with --model.",
        run.name));
  }
  std::optional<GroundTruth> truth;
  if (!labels.items.empty() && manifest) {
    truth = {labels.items, manifest->input, read_model_mask(args.get<std::string>("model"))};
  }
  MapReplay maps = replay_maps(run, folder_of(args.get<std::string>("maps"), run),
                               run.thresholds->with({}).map.thr, now, truth ? &*truth : nullptr);
  if (!labels.items.empty() && !manifest) {
    note("pixel figures need the model's view of a frame: give it with --model");
  }
  return maps;
}

/// "a, b and 3 more".
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    text += (i == 0 ? "\"" : ", \"") + names[i] + "\"";
  }
  return names.size() > kMost ? text + fmt::format(" and {} more", names.size() - kMost) : text;
}

/// What was left out or does not fit, on stderr.
void tell(const StoredRun& run, const Replay& replayed, const std::optional<MapReplay>& maps) {
  for (const std::string& text : run.notes) note(fmt::format("{}: {}", run.name, text));
  if (!replayed.contradictions.empty()) {
    note(
        fmt::format("{}: {} of {} stored verdicts do not follow from the thresholds (the first is "
                    "\"{}\"); they were judged with others, or the file was changed",
                    run.name, replayed.contradictions.size(), run.frames.size(),
                    run.frames[replayed.contradictions.front()].name));
  }
  std::vector<std::string> unscored;
  for (const StoredFrame& frame : run.frames) {
    if (std::isnan(frame.score)) unscored.push_back(frame.name);
  }
  if (!unscored.empty()) {
    note(fmt::format("{}: {} of {} images have no score and count as UNSCORED alone: {}", run.name,
                     unscored.size(), run.frames.size(), some_of(unscored)));
  }
  if (!maps || maps->missing.empty()) return;
  note(fmt::format("{}: {} of {} images have no map, so their regions stay as stored: {}", run.name,
                   maps->missing.size(), run.frames.size(), some_of(maps->missing)));
}

/// Other thresholds over one run: the table is printed, the new record is returned where it is
/// asked for.
nlohmann::json replay_one(StoredRun& run, const Arguments& args,
                          const std::optional<Manifest>& manifest) {
  if (!run.thresholds && manifest) run.thresholds = StoredThresholds::of(manifest->thresholds);
  const Labels labels = find_labels(run, args);
  const Replay replayed = [&] {
    try {
      return replay(run, threshold_wish(args));
    } catch (const Error& error) {  // nothing but options can be wrong here
      throw UsageError(error.what());
    }
  }();
  const auto costs = compare_costs(run, replayed, costs_of(args));
  const auto maps = find_regions_again(run, replayed.thresholds, labels, manifest, args);
  tell(run, replayed, maps);
  if (args.text("json") != "-") {
    fmt::print("{}", replay_text(run, replayed, costs, maps, kMostNamed));
  }
  if (!args.has("json") && !args.has("report")) return nullptr;  // a night's log is large
  nlohmann::json record = replayed_record(run, replayed, costs, maps);
  if (args.text("json") == "-" && !args.has("report")) record.erase("gallery");  // as in uad eval
  return record;
}

void require_reportable(const std::vector<StoredRun>& runs, const Arguments& args) {
  if (!args.has("report")) return;
  for (const StoredRun& run : runs) {
    if (run.source == ScoreFile::kEval) continue;
    throw UsageError(fmt::format(
        "--report needs a file of uad eval --json, which has labels, curves and pictures; \"{}\" "
        "is none.",
        run.name));
  }
}

}  // namespace

int run_replay(const Args& args) {
  const Arguments arguments = parse_arguments(replay_syntax(), args);
  for (const std::string& text : arguments.notes) note(text);
  check(arguments);
  prepare_output(arguments.text("json"), "--json");
  prepare_output(arguments.text("report"), "--report");
  std::vector<StoredRun> runs = read_runs(arguments);
  require_one_scale(runs, arguments);
  require_same_model(runs, arguments);
  require_reportable(runs, arguments);
  std::optional<Manifest> manifest;
  if (arguments.has("model")) manifest = read_manifest(arguments.get<std::string>("model"));
  nlohmann::json records = nlohmann::json::object();
  for (StoredRun& run : runs) {
    std::string name = run.name;
    for (int n = 2; records.contains(name); ++n) name = fmt::format("{} ({})", run.name, n);
    records[name] = replay_one(run, arguments, manifest);
  }
  const nlohmann::json record =
      runs.size() == 1 ? *records.begin() : nlohmann::json{{"categories", records}};
  if (arguments.has("json")) write_json(arguments.get<std::string>("json"), record);
  if (const std::string page = arguments.text("report"); !page.empty()) {
    write_report(page, report::parse_runs(record, page), "");
  }
  return 0;
}

}  // namespace uad::tools

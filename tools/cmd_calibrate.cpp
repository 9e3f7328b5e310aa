// SPDX-License-Identifier: LGPL-2.1-or-later
// uad calibrate: new thresholds for a model file, with a promise or from a labelled set.
#include <filesystem>

#include <fmt/format.h>

#include "core/calibration/calibration.h"
#include "core/calibration/origin_text.h"
#include "core/data/dataset.h"
#include "core/exec/thread_pool.h"
#include "core/files/model_file.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/data_sets.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  uad calibrate --model screw.uad --data good_screws/ --false-reject-rate 1e-3 --output line3.uad
  uad calibrate --model screw.uad --data camera.mp4 --part-of frames:25 --output screw.uad
  uad calibrate --model screw.uad --data mvtec/screw --rule recall --recall 0.99 --output line3.uad)";

Syntax calibrate_syntax() {
  Syntax syntax;
  syntax.name = "calibrate";
  syntax.summary =
      "Sets warn and reject thresholds from good frames that the model was not trained on, so that "
      "a stated share of good parts is rejected at most; or from a labelled set.";
  syntax.examples = kExamples;
  syntax.options =
      join({{{.name = "model", .help = "model file", .aliases = {"model_path"}},
             {.name = "output", .help = "model file with the new thresholds; may be the same one"}},
            calibrate_specs(),
            promise_specs(),
            {{.name = "json", .help = "write the result as JSON; - = stdout"}},
            data_specs(),
            execution_specs(),
            ignored_specs()});
  syntax.elsewhere = all_keys();
  return syntax;
}

bool is_promise(const Arguments& args) { return args.get<std::string>("rule") == "promise"; }

/// Every contradiction that can be seen before anything is read.
void check(const Arguments& args) {
  if (!args.has("model")) throw UsageError("--model is missing: a .uad file made by uad train.");
  if (!args.has("output")) {
    throw UsageError(
        "--output is missing: the file for the model with the new thresholds; name "
        "--model again to replace it.");
  }
  static_cast<void>(promise_target(args));
  static_cast<void>(part_rule(args));
  const std::string rule = args.get<std::string>("rule");
  if (args.has("recall") != (rule == "recall")) {
    throw UsageError(rule == "recall" ? "--rule recall needs --recall, e.g. --recall 0.99."
                                      : "--recall is for --rule recall.");
  }
  if (!is_promise(args) && args.has("false_reject_rate")) {
    throw UsageError(
        fmt::format("--false-reject-rate needs good images alone and no --rule {}.", rule));
  }
}

/// The one set that --data names.
CategoryData find_set(const Arguments& args) {
  std::vector<CategoryData> sets = find_data(args);
  if (sets.size() != 1) {
    throw UsageError("Thresholds belong to one model: name one category, not a group.");
  }
  if (is_promise(args) && sets.front().labelled) {
    throw UsageError(fmt::format(
        "\"{0}\" is a labelled set; a promise needs good images that were not trained on. Name "
        "their folder (in the MVTec layout \"{0}/test/good\"), or use --rule f1.",
        sets.front().path.string()));
  }
  return std::move(sets.front());
}

bool judges_what_it_learnt(const Evaluation& scored) {
  return !scored.seen.empty() && scored.left_out_seen == 0;
}

void warn_of_misuse(const Evaluation& scored, const CategoryData& data, const Arguments& args) {
  tell_skipped(scored.skipped);
  tell_left_out(scored);
  if (judges_what_it_learnt(scored)) {
    note(
        fmt::format("WARNING: {} of the {} images are the very frames that the model was trained "
                    "on. It scores them lower than new ones, so the promise does not hold: use "
                    "other good frames.",
                    scored.seen.size(), scored.frames.size()));
  }
  if (is_promise(args)) warn_of_near_copies(data.path, part_rule(args));
}

Calibration derive(const Evaluation& scored, const Arguments& args) {
  const std::string rule = args.get<std::string>("rule");
  const Calibration before{scored.manifest.thresholds, scored.manifest.threshold_origin};
  if (rule == "f1") return calibrate_on_labelled(scored, before);
  if (rule == "range") return calibrate_to_range(scored, args.get<double>("set_threshold"), before);
  if (rule == "recall") return calibrate_to_recall(scored, args.get<double>("recall"), before);
  return calibrate_by_promise(group_by_part(scored.frames, part_rule(args), scored.skipped),
                              promise_target(args));
}

/// The file of the scored model with other thresholds.
ModelFile with_thresholds(const fs::path& file, const Evaluation& scored,
                          const Calibration& calibration) {
  ModelFile contents = load_model_file(file, [](double, const std::string&) {}, {});
  if (contents.sha256 != scored.model_sha256) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Model file \"{}\" was replaced while it was being calibrated. Run uad "
                            "calibrate again.",
                            file.string()));
  }
  Manifest& manifest = contents.manifest;
  const double min_area = manifest.thresholds.min_area;
  manifest.thresholds = calibration.thresholds;
  manifest.training.marked_good = 0;  // that is counted from the thresholds on
  manifest.thresholds.min_area = min_area;
  manifest.threshold_origin = calibration.origin;
  manifest.threshold_origin.facts["data_sha256"] = scored.test_sha256;
  if (judges_what_it_learnt(scored)) {
    manifest.threshold_origin.facts["warning"] =
        "training frames were among these, so nothing is promised";
  }
  manifest.precision = scored.precision;  // the scores that the thresholds speak of
  return contents;
}

void show(const Manifest& manifest, const std::string& output) {
  fmt::print(stderr, "{}: reject {:.6g}, warn {:.6g}\n  {}\n", output,
             manifest.thresholds.image.thr, manifest.thresholds.warn,
             manifest.threshold_origin.rule);
  for (const std::string& line : origin_lines(manifest.threshold_origin)) {
    fmt::print(stderr, "  {}\n", line);
  }
}

}  // namespace

std::vector<OptionSpec> calibrate_specs() {
  return {
      {.name = "rule",
       .default_value = "promise",
       .help = "promise: from good images, with a promised false-reject rate; f1, recall, range: "
               "from a labelled set, without any promise",
       .choices = {"promise", "f1", "recall", "range"}},
      set_threshold_option(),
      {.name = "recall",
       .type = OptionType::kFloat,
       .help =
           "share of the labelled defects that is rejected at least; the highest such threshold "
           "is taken",
       .minimum = 0,
       .maximum = 1},
  };
}

int run_calibrate(const Args& args) {
  const Arguments arguments = parse_arguments(calibrate_syntax(), args);
  check(arguments);
  announce(arguments);
  const CategoryData data = find_set(arguments);
  const fs::path model_path = arguments.get<std::string>("model");
  const std::string output = arguments.get<std::string>("output");
  prepare_output(output, "--output");
  prepare_output(arguments.text("json"), "--json");
  use_threads(arguments.get<int>("threads"));
  const Evaluation scored = [&] {
    ProgressBar bar;
    const ModelPtr model = load_model(model_path, models::method_table(),
                                      execution_options(arguments), bar.callback(), {});
    const bool promise = is_promise(arguments);
    const auto frames = open_split(
        data, promise ? Split::kTrain : judged_split(model->manifest().method), arguments);
    const TilePreprocessor preprocessor({model->manifest().input, model->mask()});
    return evaluate(*model, preprocessor, *frames,
                    {.pixels = !promise,
                     .seen_too = promise,  // warned of below
                     .progress = bar.callback()});
  }();
  warn_of_misuse(scored, data, arguments);
  const ModelFile file = with_thresholds(model_path, scored, derive(scored, arguments));
  const std::string sha256 = save_model_file(output, file);
  show(file.manifest, output);
  if (arguments.has("json")) {
    write_json(arguments.get<std::string>("json"),
               {{"model", output},
                {"sha256", sha256},
                {"warn_threshold", file.manifest.thresholds.warn},
                {"reject_threshold", file.manifest.thresholds.image.thr},
                {"threshold_rule", file.manifest.threshold_origin.rule},
                {"images", file.manifest.threshold_origin.images},
                {"facts", file.manifest.threshold_origin.facts}});
  }
  return 0;
}

}  // namespace uad::tools

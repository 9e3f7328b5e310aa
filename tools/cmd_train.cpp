// SPDX-License-Identifier: LGPL-2.1-or-later
// uad train: good images in, model file out.
#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/calibration/calibration.h"
#include "core/calibration/origin_text.h"
#include "core/distributed/processes.h"
#include "core/eval/evaluation.h"
#include "core/exec/thread_pool.h"
#include "core/files/model_file.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/cross_validation.h"
#include "tools/data_sets.h"
#include "tools/interrupts.h"
#include "tools/protocol_run.h"
#include "tools/published_results.h"
#include "tools/score_pictures.h"
#include "tools/train_request.h"
#include "tools/training_processes.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

/// @param redrawn  takes images as the model redraws them; null = none are wanted.
/// @param scored  takes them with their scores, and is written; the same.
Evaluation evaluate_test_set(const ModelFile& file, const TrainRequest& request,
                             const CategoryData& data, const Arguments& args,
                             RedrawnImages* redrawn = nullptr, ScorePictures* scored = nullptr) {
  const auto test = open_split(data, judged_split(request.method->name), args);
  const TilePreprocessor preprocessor(request.preprocess);
  const LoadedModel model(
      file, *request.method, request.execution, [](double, const std::string&) {},
      std::stop_token());
  EvaluationOptions options;
  options.visit = [&](const LabelledFrame& frame, const ModelOutput& output) {
    if (scored != nullptr) scored->offer(frame, output);
    if (redrawn == nullptr || !redrawn->wants(frame.defective)) return;
    const auto redrawing = model.redraw(*preprocessor.cut(frame.view));
    if (redrawing) redrawn->offer(frame, redrawn_tiles(*redrawing, request.preprocess.spec));
  };
  ProgressBar bar;
  options.progress = bar.callback();
  Evaluation found = evaluate(model, preprocessor, *test, options);
  if (scored != nullptr) scored->write(*test);
  return found;
}

void calibrate_on_test_set(ModelFile& file, const TrainRequest& request, const CategoryData& data,
                           const Arguments& args) {
  Manifest& manifest = file.manifest;
  const Calibration calibration =
      calibrate_on_labelled(evaluate_test_set(file, request, data, args),
                            {manifest.thresholds, manifest.threshold_origin});
  manifest.thresholds = calibration.thresholds;
  manifest.threshold_origin = calibration.origin;
}

fs::path output_path(const Arguments& args, const std::string& name, bool group,
                     const TrainRequest& request) {
  if (!args.has("output")) {
    return default_model_path(args.get<std::string>("save_path"), name, *request.method,
                              complete_options(request.method->options, request.options));
  }
  const fs::path output = args.get<std::string>("output");
  return group ? output / (name + ".uad") : output;
}

/// Beside the model, unless another folder is named. @throws UsageError
RunFolder run_folder(const Arguments& args, const Method& method, const fs::path& output,
                     const std::string& name, bool group) {
  const bool resume = args.get<bool>("resume");
  if (!method.by_gradient) {
    if (!resume && !args.has("log_dir") && !args.get<bool>("always_save") &&
        !args.get<bool>("auto_resume")) {
      return {};
    }
    throw UsageError(
        fmt::format("--{} is for methods that learn by gradient, but {} learns "
                    "from each image once.",
                    resume                          ? "resume"
                    : args.has("log_dir")           ? "log-dir"
                    : args.get<bool>("always_save") ? "always-save"
                                                    : "auto-resume",
                    method.name));
  }
  RunFolder run{
      .path = fs::path(output).replace_extension(".run"),
      .resume = resume,
      .logs = args.has("log_dir") ? fs::path(args.text("log_dir")) / output.stem() : fs::path(),
      .keep_all = args.get<bool>("always_save")};
  if (args.has("run_dir")) {
    run.path = args.get<std::string>("run_dir");
    if (group) run.path /= name;
  }
  run.resume = run.resume || (args.get<bool>("auto_resume") && fs::exists(run.path / "last.ckpt"));
  // A group was left in one of its categories, and those after it have not begun.
  if (group && resume && !fs::exists(run.path)) {
    note(fmt::format("{} begins anew: \"{}\" does not exist.", name, run.path.string()));
    run.resume = false;
  }
  return run;
}

/// Whether there will be images that the model has not learnt from.
bool can_be_judged(const CategoryData& data, const TrainRequest& request) {
  const bool labels = learns_labels(request.method->name);
  if (labels && needs_division(data.images) && request.holdout == 0) return false;
  return has_test_images(data, labels);
}

/// @throws UsageError if it was asked for and there is nothing to evaluate on.
bool wants_evaluation(const CategoryData& data, const TrainRequest& request,
                      const Arguments& args) {
  const bool possible = can_be_judged(data, request);
  if (!possible && args.get<std::string>("calibrate_on") == "test") {
    throw UsageError(fmt::format("--calibrate-on test needs test images, but \"{}\" has none.",
                                 data.path.string()));
  }
  if (!args.has("do_eval")) return possible;
  const bool wanted = args.get<bool>("do_eval");
  if (wanted && !possible) {
    throw UsageError(
        fmt::format("--do-eval needs test images, but \"{}\" has none.", data.path.string()));
  }
  return wanted;
}

nlohmann::json summary(const fs::path& output, const ModelFile& file, const std::string& sha256,
                       double seconds) {
  const Manifest& manifest = file.manifest;
  return {{"model", output.string()},
          {"sha256", sha256},
          {"bytes", fs::file_size(output)},
          {"images", manifest.training.images},
          {"skipped", manifest.training.skipped},
          {"warn_threshold", manifest.thresholds.warn},
          {"reject_threshold", manifest.thresholds.image.thr},
          {"threshold_rule", manifest.threshold_origin.rule},
          {"seconds", seconds}};
}

nlohmann::json judge(const ModelFile& file, const TrainRequest& request, const CategoryData& data,
                     const Arguments& args) {
  const bool tables = args.has("result_dir");
  RedrawnImages redrawn;
  ScorePictures scored(args, data.name);
  const Evaluation found =
      evaluate_test_set(file, request, data, args, tables ? &redrawn : nullptr, &scored);
  nlohmann::json evaluation = to_json(found);
  if (args.has("set_threshold")) {
    const SetFigures figures = set_figures_of(found, args.get<double>("set_threshold"));
    print_set_figures(figures);
    evaluation["set_figures"] = to_json(figures);
    if (tables) {
      const fs::path folder = args.get<std::string>("result_dir");
      write_published_results(folder, data.name, file.manifest.options, found, figures);
      redrawn.write(folder);
    }
  }
  fmt::print(stderr, "image AUROC {}, pixel AUROC {}\n", evaluation["image_auroc"].dump(),
             evaluation["pixel_auroc"].dump());
  return evaluation;
}

/// --mode false: no training.
nlohmann::json judge_saved(const fs::path& model, const TrainRequest& request,
                           const CategoryData& data, const Arguments& args) {
  if (!has_test_images(data, false)) {
    throw UsageError(
        fmt::format("--mode false needs test images, but \"{}\" has none.", data.path.string()));
  }
  const ModelFile file = load_model_file(model, [](double, const std::string&) {}, {});
  if (file.manifest.method != request.method->name) {
    throw UsageError(fmt::format("\"{}\" was made by {}, not by {}. Check --output.",
                                 model.string(), file.manifest.method, request.method->name));
  }
  TrainRequest as_saved = request;
  as_saved.preprocess = {file.manifest.input, file.mask};
  return {{"model", model.string()}, {"evaluation", judge(file, as_saved, data, args)}};
}

/// Before any image is read: what a model that grows by whole products knows, it learns no second
/// time. @throws UsageError
void require_new_products(const CategoryData& data, const TrainRequest& request,
                          const Arguments& args) {
  if (!request.start || !request.method->grows_by_products || is_video(data.path)) return;
  const std::vector<std::string>& known = request.start->manifest.products;
  for (const ImageItem& item : split_items(data, training_split(request.method->name), args)) {
    if (std::ranges::find(known, item.product) == known.end()) continue;
    throw UsageError(
        fmt::format("Product \"{}\" of \"{}\" is one that the model knows already ({}). Give the "
                    "folder of another product, or give the folder another name if it is one.",
                    item.product, data.path.string(), fmt::join(known, ", ")));
  }
}

/// @return null where another process writes the model and judges it.
nlohmann::json train_one(const CategoryData& data, bool group, const TrainRequest& request,
                         const Arguments& args) {
  const fs::path output = output_path(args, data.name, group, request);
  if (args.has("mode") && !args.get<bool>("mode")) {
    return is_first_process() ? judge_saved(output, request, data, args) : nullptr;
  }
  if (is_first_process()) prepare_output(output, "--output");
  require_new_products(data, request, args);
  const nlohmann::json folds = run_cross_validation(data, args.get<std::size_t>("n_cv_folds"),
                                                    request, args.get<bool>("strict"));
  const bool evaluation = wants_evaluation(data, request, args);
  const auto start = std::chrono::steady_clock::now();
  const Split split = training_split(request.method->name);
  const auto source = open_split(data, split, args);
  const auto judged =
      request.method->judges_on_the_way ? open_judged_on_the_way(data, args) : nullptr;
  ModelFile file = [&] {
    ProgressBar bar;
    const Interrupts interrupts;
    TrainRequest one = request;
    one.consecutive = is_video(data.path);
    // A training part that shows defects has a test part for judging, so nothing is held out.
    if (split != Split::kTrain && !needs_division(data.images) && !one.promise &&
        !args.was_given("holdout")) {
      one.holdout = 0;
    }
    one.control = {bar.callback(), {}, interrupts.cancel(), interrupts.enough()};
    one.evaluation = judged.get();
    if (is_first_process()) one.run = run_folder(args, *request.method, output, data.name, group);
    return train(*source, one);
  }();
  if (!is_first_process()) return nullptr;
  if (request.promise) {
    warn_of_near_copies(data.path, request.parts);
    note(
        "the held-out images stay out of the model, because the promise holds for this very "
        "model.");
  }
  tell_skipped(source->skipped());
  if (!request.start || args.was_given("min_area")) {
    file.manifest.thresholds.min_area = args.get<double>("min_area");
  }
  std::string sha256 = save_model_file(output, file);
  if (args.get<std::string>("calibrate_on") == "test") {
    calibrate_on_test_set(file, request, data, args);
    sha256 = save_model_file(output, file);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  nlohmann::json result = summary(output, file, sha256, seconds);
  if (!folds.is_null()) result["cross_validation"] = folds;
  fmt::print(stderr, "{}: {} images ({} skipped), reject {:.6g}, warn {:.6g}, {:.1f} s\n",
             output.string(), file.manifest.training.images, file.manifest.training.skipped,
             file.manifest.thresholds.image.thr, file.manifest.thresholds.warn, seconds);
  if (request.promise) {
    for (const std::string& line : origin_lines(file.manifest.threshold_origin)) {
      fmt::print(stderr, "  {}\n", line);
    }
  }
  if (evaluation) {
    result["evaluation"] = judge(file, request, data, args);
  }
  return result;
}

}  // namespace

int run_train(const Args& args) {
  TrainingProcesses processes;
  const Method& method = requested_method(args);
  const Arguments arguments = with_added_product(parse_arguments(train_syntax(method), args));
  announce(arguments);
  processes.join(arguments.get<int>("process_timeout"));
  check_score_pictures(arguments);
  if (arguments.has("protocol")) {
    use_threads(arguments.get<int>("threads"));
    const nlohmann::json record = run_protocol(arguments, method);
    if (arguments.has("json") && is_first_process())
      write_json(arguments.get<std::string>("json"), record);
    return 0;
  }
  const std::vector<CategoryData> data = find_data(arguments);
  use_threads(arguments.get<int>("threads"));
  const TrainRequest request = make_request(arguments, method);
  nlohmann::json results = nlohmann::json::array();
  for (const CategoryData& one : data) {
    results.push_back(train_one(one, data.size() > 1, request, arguments));
    processes.wait_for_all();
  }
  if (arguments.has("json") && is_first_process()) {
    write_json(arguments.get<std::string>("json"), results.size() == 1 ? results[0] : results);
  }
  return 0;
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// uad train: good images in, model file out.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/methods.h"
#include "core/calibration/calibration.h"
#include "core/calibration/origin_text.h"
#include "core/calibration/sensitivity.h"
#include "core/continuation.h"
#include "core/data/image_io.h"
#include "core/device.h"
#include "core/eval/evaluation.h"
#include "core/exec/thread_pool.h"
#include "core/input_options.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/cross_validation.h"
#include "tools/interrupts.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  uad train --data mvtec/screw --weights-dir weights --output screw.uad --k 1
  uad train --data good_parts/ --backbone gabor --resize 256x640 --output line3.uad
  uad train --data camera.mp4 --frames 0-160 --weights-dir weights --output bottles.uad
  uad train --config patchcore.yaml --category textures --save-path models/)";

std::string names_of(const std::vector<MethodInfo>& methods) {
  std::string names;
  for (const MethodInfo& method : methods) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", method.name);
  }
  return names;
}

std::vector<OptionSpec> own_specs() {
  return {
      {.name = "method",
       .default_value = "patchcore",
       .help = "how to learn: " + names_of(known_methods())},
      {.name = "output", .help = "model file; for a group of categories, a folder"},
      {.name = "save_path",
       .default_value = "output",
       .help = "folder for the model where --output is not given"},
      {.name = "weights_dir",
       .help = "folder with backbone weights [UAD_WEIGHTS_DIR]",
       .aliases = {"weights"}},
      {.name = "continue_from",
       .help = "model file that goes on learning, with its method, options and input"},
      {.name = "ratio",
       .type = OptionType::kFloat,
       .help = "share of patches kept, the same as --k / 100",
       .minimum = 0,
       .maximum = 1},
      {.name = "seed",
       .type = OptionType::kInt,
       .default_value = 3,
       .help = "of every random choice",
       .minimum = 0,
       .aliases = {"random_state"}},
      {.name = "batch_size",
       .type = OptionType::kInt,
       .default_value = 1,
       .help = "images that go through the network together",
       .minimum = 1,
       .maximum = 256},
      {.name = "run_dir",
       .help = "folder for curves and checkpoints of a method that learns by gradient [the model's "
               "path with .run]"},
      {.name = "resume",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "go on from the last checkpoint in --run-dir, to the same model as without a break"},
      {.name = "holdout",
       .type = OptionType::kFloat,
       .default_value = 0.2,
       .help = "share of the good images that derives the thresholds (at least 5 images); of every "
               "kind where a method learns from labels, which also takes 0",
       .minimum = 0,
       .maximum = 0.9,
       .aliases = {"test_size"}},
      {.name = "no_refit",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "keep the model without the held-out images"},
      {.name = "no_images_in_model",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "store no training image for the self-test"},
      sensitivity_option(),
      {.name = "calibrate_on",
       .default_value = "good",
       .help = "thresholds from held-out good images, or F1-optimal on the labelled test set",
       .choices = {"good", "test"}},
      {.name = "min_area",
       .type = OptionType::kFloat,
       .default_value = 0.0,
       .help = "smallest region that is reported, in frame pixels",
       .minimum = 0},
      {.name = "do_eval",
       .type = OptionType::kBool,
       .help = "evaluate on the test set afterwards [true where there is one]",
       .aliases = {"do_val"}},
      folds_option(),
      {.name = "json", .help = "write what was trained as JSON; - = stdout"},
  };
}

Syntax train_syntax(const Method& method) {
  Syntax syntax;
  syntax.name = "train";
  syntax.summary = "Learns what good parts look like and writes a model file.";
  syntax.examples = kExamples;
  syntax.options = join({data_specs(), method.options, own_specs(), promise_specs(),
                         input_option_specs(), execution_specs(), ignored_specs()});
  syntax.elsewhere = all_keys();
  return syntax;
}

/// The method decides which options there are, so it is looked for before anything is parsed.
const Method& requested_method(const Args& args) {
  std::string name = peek_option(args, "method");
  if (name.empty()) {
    const std::string start = peek_option(args, "continue_from");
    if (!start.empty()) name = read_manifest(start).method;
  }
  if (name.empty()) {
    const std::string config = peek_option(args, "config");
    if (!config.empty()) name = read_yaml(config).value("method", "");
  }
  const auto& table = models::method_table();
  const auto known = std::ranges::find(table, name, &Method::name);
  if (known != table.end()) return *known;
  if (name.empty() || name == "coreset") return models::find_method("patchcore");
  if (is_reduction(name)) return models::find_method("padim");
  try {
    return models::find_method(name);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

PreprocessOptions preprocess_options(const Arguments& args, const Method& method) {
  try {
    return read_input_options(args.options, method.default_input);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kBadOption) throw UsageError(error.what());
    throw;
  }
}

/// The method's own options as they were given; `ratio` becomes `k`.
nlohmann::json method_options(const Arguments& args, const Method& method) {
  nlohmann::json options = nlohmann::json::object();
  for (const OptionSpec& spec : method.options) options[spec.name] = args.options.at(spec.name);
  if (!args.has("ratio")) return options;
  if (!options.contains("k")) {
    throw UsageError(fmt::format("--ratio is not an option of {}.", method.name));
  }
  options["k"] = args.get<double>("ratio") * 100;
  return options;
}

/// @param own  see method_options().
nlohmann::json given_options(const Arguments& args, const nlohmann::json& own) {
  nlohmann::json given = nlohmann::json::object();
  for (const std::string& name : args.given) {
    given[name] = own.contains(name) ? own[name] : args.options.at(name);
  }
  if (args.has("ratio")) given["k"] = own.at("k");
  return given;
}

TrainRequest make_request(const Arguments& args, const Method& method) {
  TrainRequest request;
  request.method = &method;
  request.options = method_options(args, method);
  request.preprocess = preprocess_options(args, method);
  request.weights_dir = args.text("weights_dir");
  request.seed = args.get<std::uint64_t>("seed");
  request.execution = resolve_execution(execution_options(args), "fp32");
  if (!method.by_gradient) request.batch_size = args.get<int>("batch_size");
  request.holdout = args.get<double>("holdout");
  request.refit = !args.get<bool>("no_refit");
  request.learn_sensitivity = args.get<std::string>("sensitivity") == "learned";
  request.parts = part_rule(args);
  if (args.has("continue_from")) {
    const std::string file = args.text("continue_from");
    try {
      continue_from(file, given_options(args, request.options), request);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kBadOption) throw UsageError(error.what());
      throw;
    }
  }
  if (args.has("false_reject_rate")) request.promise = promise_target(args);
  if (request.promise && args.get<std::string>("calibrate_on") == "test") {
    throw UsageError(
        "--false-reject-rate takes the thresholds from held-out good images, "
        "--calibrate-on test from the labelled set. Leave out one of them.");
  }
  request.images_in_model = !args.get<bool>("no_images_in_model");
  return request;
}

bool given(const char* name, const Arguments& args) {
  return std::ranges::find(args.given, name) != args.given.end();
}

ModelPtr loaded(const ModelFile& file, const TrainRequest& request) {
  return std::make_shared<const LoadedModel>(
      file, *request.method, request.execution, [](double, const std::string&) {},
      std::stop_token());
}

bool learns_labels(const TrainRequest& request) { return request.method->needs != Needs::kGood; }

Evaluation evaluate_test_set(const ModelFile& file, const TrainRequest& request,
                             const CategoryData& data, const Arguments& args) {
  const Split split = learns_labels(request) ? Split::kLabelledTest : Split::kTest;
  const auto test = open_split(data.path, split, args);
  const TilePreprocessor preprocessor(request.preprocess);
  ProgressBar bar;
  return evaluate(*loaded(file, request), preprocessor, *test, {.progress = bar.callback()});
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
                     const nlohmann::json& options) {
  if (!args.has("output")) {
    return default_model_path(args.get<std::string>("save_path"), name, options);
  }
  const fs::path output = args.get<std::string>("output");
  return group ? output / (name + ".uad") : output;
}

/// Beside the model, unless another folder is named. @throws UsageError
RunFolder run_folder(const Arguments& args, const Method& method, const fs::path& output,
                     const std::string& name, bool group) {
  const bool resume = args.get<bool>("resume");
  if (!method.by_gradient) {
    if (!resume) return {};
    throw UsageError(
        fmt::format("--resume is for methods that learn by gradient, but {} learns "
                    "from each image once.",
                    method.name));
  }
  if (!args.has("run_dir")) return {fs::path(output).replace_extension(".run"), resume};
  const fs::path folder = args.get<std::string>("run_dir");
  return {group ? folder / name : folder, resume};
}

/// @throws UsageError if it was asked for and there is nothing to evaluate on.
bool wants_evaluation(const CategoryData& data, bool labels, const Arguments& args) {
  const bool possible = has_test_images(data.path, labels);
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

nlohmann::json train_one(const CategoryData& data, bool group, const TrainRequest& request,
                         const Arguments& args) {
  const fs::path output = output_path(args, data.name, group,
                                      complete_options(request.method->options, request.options));
  prepare_output(output, "--output");
  const nlohmann::json folds = run_cross_validation(data.path, args.get<std::size_t>("n_cv_folds"),
                                                    request, args.get<bool>("strict"));
  const bool evaluation = wants_evaluation(data, learns_labels(request), args);
  const auto start = std::chrono::steady_clock::now();
  const Split split = learns_labels(request) ? Split::kLabelledTrain : Split::kTrain;
  const auto source = open_split(data.path, split, args);
  ModelFile file = [&] {
    ProgressBar bar;
    const Interrupts interrupts;
    TrainRequest one = request;
    one.consecutive = is_video(data.path);
    // A training part that shows defects has a test part for judging, so nothing is held out.
    if (split == Split::kLabelledTrain && !needs_division(data.path) && !given("holdout", args)) {
      one.holdout = 0;
    }
    one.control = {bar.callback(), {}, interrupts.cancel(), interrupts.enough()};
    one.run = run_folder(args, *request.method, output, data.name, group);
    return train(*source, one);
  }();
  if (request.promise) {
    warn_of_near_copies(data.path, request.parts);
    note(
        "the held-out images stay out of the model, because the promise holds for this very "
        "model.");
  }
  for (const SkippedFrame& frame : source->skipped()) {
    note(fmt::format("skipped \"{}\": {}", frame.name, frame.reason));
  }
  if (!request.start || given("min_area", args)) {
    file.manifest.thresholds.min_area = args.get<double>("min_area");
  }
  if (args.get<std::string>("calibrate_on") == "test") {
    calibrate_on_test_set(file, request, data, args);
  }
  const std::string sha256 = save_model_file(output, file);
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
    result["evaluation"] = to_json(evaluate_test_set(file, request, data, args));
    fmt::print(stderr, "image AUROC {}, pixel AUROC {}\n",
               result["evaluation"]["image_auroc"].dump(),
               result["evaluation"]["pixel_auroc"].dump());
  }
  return result;
}

}  // namespace

int run_train(const Args& args) {
  const Method& method = requested_method(args);
  const Arguments arguments = parse_arguments(train_syntax(method), args);
  announce(arguments);
  const std::vector<CategoryData> data = find_data(arguments);
  use_threads(arguments.get<int>("threads"));
  const TrainRequest request = make_request(arguments, method);
  nlohmann::json results = nlohmann::json::array();
  for (const CategoryData& one : data) {
    results.push_back(train_one(one, data.size() > 1, request, arguments));
  }
  if (arguments.has("json")) {
    write_json(arguments.get<std::string>("json"), results.size() == 1 ? results[0] : results);
  }
  return 0;
}

std::vector<std::string> all_keys() {
  std::vector<std::vector<OptionSpec>> lists{
      data_specs(),      own_specs(),       input_option_specs(), promise_specs(),
      calibrate_specs(), execution_specs(), ignored_specs()};
  for (const Method& method : models::method_table()) lists.push_back(method.options);
  std::vector<std::string> keys{"config", "model_path", "img_path", "threshold", "model"};
  for (const OptionSpec& spec : join(lists)) {
    keys.push_back(spec.name);
    keys.insert(keys.end(), spec.aliases.begin(), spec.aliases.end());
  }
  return keys;
}

}  // namespace uad::tools

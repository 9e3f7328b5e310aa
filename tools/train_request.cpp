// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/train_request.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/methods.h"
#include "core/calibration/sensitivity.h"
#include "core/continuation.h"
#include "core/device.h"
#include "core/input_options.h"
#include "models/registry.h"
#include "tools/common_options.h"
#include "tools/cross_validation.h"
#include "tools/data_sets.h"
#include "tools/score_pictures.h"
#include "tools/training_processes.h"

namespace uad::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  uad train --data mvtec/screw --weights-dir weights --output screw.uad --k 1
  uad train --data good_parts/ --backbone gabor --resize 256x640 --output line3.uad
  uad train --data camera.mp4 --frames 0-160 --weights-dir weights --output bottles.uad
  uad train --config patchcore.yaml --category textures --save-path models/
  uad train --add new_product/ --output line3.uad
  uad train --method padim --protocol 10-1 --data mvtec --output growing/)";

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
       .help = "folder for the model where --output is not given",
       .aliases = {"saved_model_dir"}},
      {.name = "weights_dir",
       .help = "folder with backbone weights [UAD_WEIGHTS_DIR]",
       .aliases = {"weights"}},
      {.name = "continue_from",
       .help = "model file that goes on learning, with its method, options and input"},
      {.name = "add",
       .help = "folder of one more product that the model file --output learns, written over it "
               "when it is done"},
      {.name = "protocol",
       .help = "learn products task by task, judged after every task: 14-1, 10-5, 3-3, 10-1 (MVTec "
               "AD), 11-1, 8-4, 8-1 (VisA), or a YAML file; --output is a folder"},
      {.name = "first_task",
       .help = "with --protocol: model file of its first task, learnt already by another run"},
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
               "path with .run]",
       .aliases = {"saver.save_dir"}},
      {.name = "log_dir",
       .help = "its curves and event files, for TensorBoard, go into a folder of the model's name "
               "in this one [--run-dir]",
       .aliases = {"saver.log_dir"}},
      {.name = "always_save",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "keep every checkpoint that is written, as step-N.ckpt",
       .aliases = {"saver.always_save"}},
      {.name = "resume",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "go on from the last checkpoint in --run-dir, to the same model as without a break"},
      {.name = "auto_resume",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "the same where there is such a checkpoint, else begin anew",
       .aliases = {"saver.auto_resume"}},
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
      process_timeout_option(),
      {.name = "json", .help = "write what was trained as JSON; - = stdout"},
  };
}

std::vector<OptionSpec> judging_specs() {
  return {
      {.name = "eval_data",
       .help = "good and defective images that are judged on the way: a folder inside of the set "
               "or anywhere [eval_data where there is one]"},
      {.name = "mode",
       .type = OptionType::kBool,
       .default_value = true,
       .help = "train, then judge on the test images; false = judge the model that is there"},
      {.name = "result_dir",
       .help = "folder for tables and figures of the test images, as the published program writes "
               "them, and for two images beside their reconstructions"},
      set_threshold_option(),
  };
}

PreprocessOptions preprocess_options(const Arguments& args, const Method& method) {
  try {
    return read_input_options(args.options, input_of(method, args.options));
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

}  // namespace

OptionSpec load_path_option() {
  return {.name = "load_path",
          .help = "begin with the weights of a model file or state dict, as far as they fit",
          .aliases = {"saver.load_path"}};
}

Syntax train_syntax(const Method& method) {
  Syntax syntax;
  syntax.name = "train";
  syntax.summary = "Learns what good parts look like and writes a model file.";
  syntax.examples = kExamples;
  syntax.options =
      join({data_specs(), method.options, own_specs(), promise_specs(), input_option_specs(),
            execution_specs(), score_picture_specs(), ignored_specs()});
  if (method.loads_weights) syntax.options.push_back(load_path_option());
  if (method.judges_on_the_way) {
    syntax.options = join({std::move(syntax.options), judging_specs()});
  }
  syntax.short_names = method.short_names;
  syntax.elsewhere = all_keys();
  for (const Method& other : models::method_table()) {
    for (const OptionSpec& option : other.options) syntax.in_vain.push_back(option.name);
  }
  return syntax;
}

const Method& requested_method(const Args& args) {
  std::string name = peek_option(args, "method");
  if (name.empty()) {
    std::string start = peek_option(args, "continue_from");
    if (const std::string model = peek_option(args, "output");
        !peek_option(args, "add").empty() && std::filesystem::is_regular_file(model)) {
      start = model;
    }
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

Arguments with_added_product(Arguments args) {
  if (!args.has("add")) return args;
  for (const char* other : {"data", "continue_from", "protocol", "root_data_dir", "dataset_name"}) {
    if (!args.was_given(other)) continue;
    std::string option = other;
    std::ranges::replace(option, '_', '-');
    throw UsageError(fmt::format(
        "--add and --{} cannot go together: --add FOLDER is --data FOLDER with --continue-from the "
        "file of --output. Leave out one of them.",
        option));
  }
  const std::string model = args.text("output");
  if (model.empty()) throw UsageError("--output is missing: the model file that --add adds to.");
  if (!std::filesystem::is_regular_file(model)) {
    throw UsageError(
        fmt::format("There is no model \"{}\" to add to. Check --output, or train the "
                    "first products without --add.",
                    model));
  }
  args.options["data"] = args.options["add"];
  args.options["continue_from"] = model;
  args.given.insert(args.given.end(), {"data", "continue_from"});
  return args;
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
  request.load_path = args.text("load_path");
  if (request.start && !request.load_path.empty()) {
    throw UsageError(
        "--load-path gives the weights to begin with, but a model that goes on learning has its "
        "own. Leave out one of them.");
  }
  return request;
}

std::vector<std::string> all_keys() {
  std::vector<std::vector<OptionSpec>> lists{
      data_specs(),    own_specs(),       input_option_specs(),
      promise_specs(), calibrate_specs(), execution_specs(),
      ignored_specs(), judging_specs(),   score_picture_specs()};
  for (const Method& method : models::method_table()) lists.push_back(method.options);
  std::vector<std::string> keys{"load_path", "config",    "model_path",
                                "img_path",  "threshold", "model"};
  for (const OptionSpec& spec : join(lists)) {
    keys.push_back(spec.name);
    keys.insert(keys.end(), spec.aliases.begin(), spec.aliases.end());
  }
  return keys;
}

}  // namespace uad::tools

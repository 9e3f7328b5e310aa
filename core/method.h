// SPDX-License-Identifier: LGPL-2.1-or-later
// One row of the table of methods (models/registry.cpp): how to fit it, how to load it, which
// options it has.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/anomaly_model.h"
#include "core/base/option_spec.h"

namespace uad {

struct Execution {  ///< ExecutionOptions after the machine was asked
  std::string device = "cpu";
  std::string precision = "fp32";
};

/// Where a fit of many steps keeps what it has done.
struct RunFolder {
  std::filesystem::path path;       ///< curves and checkpoints; "" = none are written
  bool resume = false;              ///< go on from the last checkpoint in there
  std::filesystem::path logs = {};  ///< folder of the curves, where not in `path`
  bool keep_all = false;            ///< every checkpoint that is written stays, as "step-N.ckpt"
};

struct FitContext {
  std::string method;                 ///< its name
  nlohmann::json options;             ///< completed by `Method::options`
  std::filesystem::path weights_dir;  ///< "" = UAD_WEIGHTS_DIR, else none
  std::uint64_t seed = 3;
  Execution execution;
  InputSpec input;  ///< that the tiles are cut by
  RunFolder run;
  /// A model of this method and these options that goes on learning; null = from nothing. What it
  /// holds is shared with the model to come.
  std::shared_ptr<const AnomalyModel> start;
  std::filesystem::path load_path = {};  ///< see Method::loads_weights; "" = fresh weights
};

/// What a method learns from.
enum class Needs {
  kGood,    ///< good frames
  kLabels,  ///< good and defective frames
  kMasks    ///< the same, with masks of the defects
};

struct Method {
  std::string name;
  std::vector<OptionSpec> options;  ///< the method's own keys
  InputSpec default_input;
  /// The same where it follows from the options, completed or not; null = default_input.
  std::function<InputSpec(const nlohmann::json& options)> input_by_options = {};
  std::function<std::unique_ptr<Fitter>(const FitContext&)> make_fitter;
  std::function<std::unique_ptr<AnomalyModel>(const CheckpointReader&, const Execution&)> load;
  bool incremental = false;  ///< make_fitter goes on from FitContext::start
  /// With `incremental`: it goes on by whole products, never by single frames.
  bool grows_by_products = false;
  Needs needs = Needs::kGood;
  /// Learns in many passes: held-out frames choose the best one, and there is no second fit on all.
  bool by_gradient = false;
  /// How frames are cut to learn from, where not as they are cut to be judged. @param input  the
  /// model's. Null = the same.
  std::function<InputSpec(const InputSpec& input)> training_input = {};
  /// FitContext::load_path: begins with the weights of a file.
  bool loads_weights = false;
  /// Takes TrainRequest::evaluation.
  bool judges_on_the_way = false;
  /// Short options of the program that the method was published with, without dashes → what they
  /// are called here.
  std::map<std::string, std::string> short_names = {};
};

using MethodTable = std::vector<Method>;

/// What a method wants to see where the user says nothing. @param options  as far as given.
[[nodiscard]] inline InputSpec input_of(const Method& method, const nlohmann::json& options) {
  return method.input_by_options ? method.input_by_options(options) : method.default_input;
}

/// How frames are cut to learn from. @param input  the model's.
[[nodiscard]] inline InputSpec training_input_of(const Method& method, const InputSpec& input) {
  return method.training_input ? method.training_input(input) : input;
}

}  // namespace uad

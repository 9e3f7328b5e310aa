// SPDX-License-Identifier: LGPL-2.1-or-later
// One row of the table of methods (models/registry.cpp): how to fit it, how to load it, which
// options it has.
#pragma once

#include <filesystem>
#include <functional>
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
  std::filesystem::path path;  ///< curves and checkpoints; "" = none are written
  bool resume = false;         ///< go on from the last checkpoint in there
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
  std::function<std::unique_ptr<Fitter>(const FitContext&)> make_fitter;
  std::function<std::unique_ptr<AnomalyModel>(const CheckpointReader&, const Execution&)> load;
  bool incremental = false;  ///< make_fitter goes on from FitContext::start
  Needs needs = Needs::kGood;
  /// Learns in many passes: held-out frames choose the best one, and there is no second fit on all.
  bool by_gradient = false;
};

using MethodTable = std::vector<Method>;

}  // namespace uad

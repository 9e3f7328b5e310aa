// SPDX-License-Identifier: LGPL-2.1-or-later
// Options that several sub-commands share, and what they mean.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/calibration/promise.h"
#include "core/calibration/samples.h"
#include "core/eval/stored_scores.h"
#include "core/method.h"
#include "tools/arguments.h"

namespace uad::tools {

std::vector<OptionSpec> execution_specs();  ///< device, precision, threads
std::vector<OptionSpec> promise_specs();    ///< false_reject_rate, confidence, part_of
/// warn_threshold, reject_threshold, threshold, min_area; none has a default.
/// @param otherwise  what holds where they are not given, e.g. "the model's".
std::vector<OptionSpec> threshold_specs(const std::string& otherwise);
/// save_pic, save_path: pictures of the results.
std::vector<OptionSpec> picture_specs();
/// set_threshold: on scores that are scaled over the set, see core/eval/set_figures.h.
OptionSpec set_threshold_option();
/// Keys of QualityInspector that change nothing here; they stay out of --help.
std::vector<OptionSpec> ignored_specs();

/// One list out of several. A name that comes twice keeps its first place.
std::vector<OptionSpec> join(std::vector<std::vector<OptionSpec>> lists);

/// `gpu` is read as cuda. @throws Error(kNoDevice) for xpu.
std::string execution_device(const Arguments& args);
ExecutionOptions execution_options(const Arguments& args);  ///< throws as execution_device()

/// What the options of promise_specs() ask for. @throws UsageError for a share outside of (0, 1).
PromiseTarget promise_target(const Arguments& args);
PartRule part_rule(const Arguments& args);

/// What the options of threshold_specs() ask for.
ThresholdWish threshold_wish(const Arguments& args);

/// Merged configuration and notes on stderr. @param heeded  what of ignored_specs() has an effect.
void announce(const Arguments& args, const std::vector<std::string>& heeded = {});

/// Where QualityInspector's rule puts a model: <save_path>/<reduction>_<backbone>_<k>/<name>.uad.
/// The name of a method that learns by gradient comes before these.
std::filesystem::path default_model_path(const std::string& save_path, const std::string& name,
                                         const Method& method, const nlohmann::json& options);

}  // namespace uad::tools

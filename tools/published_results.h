// SPDX-License-Identifier: LGPL-2.1-or-later
// The result files of the program that UF-GAN was published with.
// Source: specification, UF-GAN, section 8.
#pragma once

#include <filesystem>

#include "core/eval/evaluation.h"
#include "core/eval/set_figures.h"

namespace uad::tools {

/// Of the whole evaluation. @param fixed  scaled threshold, 0 … 1.
[[nodiscard]] SetFigures set_figures_of(const Evaluation& evaluation, double fixed);

/// "setting.txt", "result.txt", "results.csv" (preds, scores, path, true: at the fixed threshold),
/// "false_results.csv" with the wrong ones, and one more row in "main_result.csv" of the parent.
/// @param folder  made where it is missing. @param figures  of this evaluation.
/// @throws Error(kFailed).
void write_published_results(const std::filesystem::path& folder, const std::string& model,
                             const nlohmann::json& options, const Evaluation& evaluation,
                             const SetFigures& figures);

/// One line each for both thresholds, on stderr.
void print_set_figures(const SetFigures& figures);

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// The result files of the program that UF-GAN was published with.
// Source: specification, UF-GAN, section 8.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/frame_source.h"
#include "core/eval/evaluation.h"
#include "core/eval/redrawing.h"
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

/// The first good and the first defective image that are offered, as the model redraws them.
class RedrawnImages {
 public:
  [[nodiscard]] bool wants(bool defective) const { return of(defective).tiles.empty(); }
  void offer(const LabelledFrame& frame, std::vector<RedrawnTile> tiles);
  /// "reconstruction_normal.png" and "reconstruction_defect.png" with the tiles that came out
  /// worst, and "reconstructions.csv" (true, path, crop, MSE, MAE, SSIM) with all of them.
  /// @param folder  is there. @throws Error(kFailed).
  void write(const std::filesystem::path& folder) const;

 private:
  struct One {
    std::string name;
    std::vector<RedrawnTile> tiles;
  };
  [[nodiscard]] const One& of(bool defective) const { return defective ? defect_ : normal_; }
  One normal_;
  One defect_;
};

/// One line each for both thresholds, on stderr.
void print_set_figures(const SetFigures& figures);

}  // namespace uad::tools

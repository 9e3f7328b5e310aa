// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/cross_validation.h"

#include <fmt/format.h>

#include "core/cross_validation.h"
#include "core/distributed/processes.h"
#include "tools/arguments.h"
#include "tools/console.h"
#include "tools/interrupts.h"

namespace uad::tools {

OptionSpec folds_option() {
  return {
      .name = "n_cv_folds",
      .type = OptionType::kInt,
      .default_value = 0,
      .help = "also cross-validate, in so many folds; for methods that learn from labels; 0 = not",
      .minimum = 0,
      .maximum = 100};
}

nlohmann::json run_cross_validation(const CategoryData& data, std::size_t folds,
                                    TrainRequest request, bool strict) {
  if (folds == 0) return {};
  if (!data.labelled) {
    throw UsageError(
        fmt::format("--n-cv-folds needs good and defective images in folders of their "
                    "own, but \"{}\" has no such folders.",
                    data.path.string()));
  }
  const std::vector<ImageItem> items = everything(data.images);
  std::vector<FoldResult> results;
  {
    ProgressBar bar;
    const Interrupts interrupts("Ending the cross-validation.");
    // Half of the folds say nothing, so the first Ctrl-C ends it all.
    request.control = {.progress = bar.callback(), .cancel = interrupts.enough()};
    results = cross_validate(items, folds, std::move(request), strict);
  }
  nlohmann::json json = to_json(results);
  if (!is_first_process()) return json;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Confusion& decisions = results[i].decisions;
    fmt::print(
        stderr,
        "fold {}: accuracy {:.4f}  balanced {:.4f}  (anomaly positive: TP {} FP {} FN {} TN {})\n",
        i + 1, decisions.accuracy(), decisions.balanced_accuracy(), decisions.tp, decisions.fp,
        decisions.fn, decisions.tn);
  }
  fmt::print(stderr, "mean:   accuracy {}  balanced {}\n", json["mean"]["accuracy"].dump(),
             json["mean"]["balanced_accuracy"].dump());
  return json;
}

}  // namespace uad::tools

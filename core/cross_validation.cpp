// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/cross_validation.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/image_source.h"
#include "core/data/split.h"
#include "core/eval/evaluation.h"
#include "core/eval/evaluation_json.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

constexpr const char* kTarget = "target_train_accuracy";  // option that ends a fit early

void check(const TrainRequest& request) {
  const Method& method = *request.method;
  if (method.needs != Needs::kGood) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Cross-validation counts right and wrong decisions of methods that learn "
                          "from labels, but {} learns from good images only. Leave it out, and "
                          "measure the model with uad eval.",
                          method.name));
}

/// Progress of one fold as a part of all.
ProgressFn part_of(const ProgressFn& all, std::size_t fold, std::size_t folds) {
  if (!all) return {};
  return [=](double fraction, const std::string& stage) {
    all((static_cast<double>(fold) + fraction) / static_cast<double>(folds),
        fmt::format("fold {} of {}, {}", fold + 1, folds, stage));
  };
}

FoldResult judge_fold(const std::vector<ImageItem>& items, const std::vector<std::size_t>& held_out,
                      const TrainRequest& request, bool strict) {
  const ImageSourceOptions options{.strict = strict,
                                   .masks = request.method->needs == Needs::kMasks};
  std::vector<ImageItem> others;
  std::vector<ImageItem> own;
  for (std::size_t i = 0; i < items.size(); ++i) {
    (std::ranges::binary_search(held_out, i) ? own : others).push_back(items[i]);
  }
  ModelFile file = train(*open_images(std::move(others), options), request);
  FoldResult result{.fitted = file.manifest.training.images};
  const LoadedModel model(std::move(file), *request.method, request.execution,
                          [](double, const std::string&) {}, {});
  result.decisions = evaluate(model, TilePreprocessor(request.preprocess),
                              *open_images(std::move(own), options), {.pixels = false})
                         .at_reject;
  return result;
}

}  // namespace

std::vector<FoldResult> cross_validate(const std::vector<ImageItem>& items, std::size_t folds,
                                       TrainRequest request, bool strict) {
  check(request);
  std::vector<std::string> kinds;
  for (const ImageItem& item : items) kinds.push_back(item.kind);
  const auto held_out = stratified_folds(kinds, folds);
  request.holdout = 0;
  request.refit = false;
  request.run = {};
  request.promise.reset();  // the decisions counted are those of the model itself
  const auto has_target = [](const OptionSpec& spec) { return spec.name == kTarget; };
  if (std::ranges::any_of(request.method->options, has_target)) request.options[kTarget] = 1.0;
  const ProgressFn progress = request.control.progress;
  std::vector<FoldResult> results;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    request.control.progress = part_of(progress, fold, folds);
    results.push_back(judge_fold(items, held_out[fold], request, strict));
  }
  return results;
}

nlohmann::json to_json(const std::vector<FoldResult>& folds) {
  nlohmann::json rows = nlohmann::json::array();
  double accuracy = 0;
  double balanced = 0;
  for (const FoldResult& fold : folds) {
    nlohmann::json row = to_json(fold.decisions);
    row["fitted"] = fold.fitted;
    rows.push_back(std::move(row));
    accuracy += fold.decisions.accuracy() / static_cast<double>(folds.size());
    balanced += fold.decisions.balanced_accuracy() / static_cast<double>(folds.size());
  }
  return {
      {"folds", rows},
      {"mean",
       {{"accuracy", number_or_null(accuracy)}, {"balanced_accuracy", number_or_null(balanced)}}}};
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// k-fold cross-validation of methods that learn from labels: every image is judged once, by a model
// that has not seen it.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/data/dataset.h"
#include "core/eval/metrics.h"
#include "core/training.h"

namespace uad {

struct FoldResult {
  std::int64_t fitted = 0;  ///< images learnt from
  Confusion decisions;      ///< on the others, at the model's own threshold
};

/// Fits `request.method` once a fold on the other folds and judges the fold with it. Folds take an
/// equal share of every kind, in the order of the list (see stratified_folds()). Each fit runs its
/// full length: a target accuracy does not end it. Nothing is held out or written.
/// @param items  good and defective images. @param strict  see open_images().
/// @throws Error(kBadOption) for fewer than two folds, or a method that learns from good images
/// only; what train() and evaluate() throw.
[[nodiscard]] std::vector<FoldResult> cross_validate(const std::vector<ImageItem>& items,
                                                     std::size_t folds, TrainRequest request,
                                                     bool strict = false);

/// `folds` with counts, accuracy and balanced accuracy, and `mean` of both over the folds.
nlohmann::json to_json(const std::vector<FoldResult>& folds);

}  // namespace uad

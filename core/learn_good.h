// SPDX-License-Identifier: LGPL-2.1-or-later
// "This one is good": a model that learns one frame more, tested before anybody uses it.
#pragma once

#include <memory>
#include <stop_token>

#include "core/anomaly_model.h"
#include "core/files/model_file.h"
#include "core/method.h"

namespace uad {

/// A loaded model and what it was loaded with.
struct ModelInService {
  const ModelFile& file;  ///< its tensors are not looked at
  const Method& method;
  const Execution& execution;
  std::shared_ptr<const AnomalyModel> model;  ///< shared with the fitter that starts from it
  double warm_up_ms = 0;
};

/// A frame below the warn threshold teaches nothing. Any other counts as often as it must to come
/// below the thresholds (up to 64 times, see Fitter::observe()), then the new model replays the
/// self-test frames and the kept defects of `options`, and is written.
/// @throws as Model::learn_good().
[[nodiscard]] LearntGood learn_good(const ModelInService& now, const TileBatch& frame,
                                    const LearnGoodOptions& options, std::stop_token stop);

}  // namespace uad

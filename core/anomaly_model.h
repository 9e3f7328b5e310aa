// SPDX-License-Identifier: LGPL-2.1-or-later
// The two interfaces of every method. Fitting and predicting are apart, so no flag changes what a
// call returns.
//
// Conventions: images are float32 [N, 3, H, W], RGB, normalised by the model's InputSpec. `keep` is
// uint8 [N, 1, H, W] (1 = look, 0 = ignore) or an undefined tensor (look everywhere). Higher scores
// are more anomalous, in raw units.
#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "core/base/backend.h"
#include "core/checkpoint.h"

namespace uad {

struct Prediction {
  at::Tensor map;    ///< float32 [N, 1, H, W] on the CPU
  at::Tensor score;  ///< float32 [N] on the CPU
};

struct ModelTraits {
  bool score_is_map_maximum = false;  ///< then the frame's score comes from the merged map
  std::string backbone;               ///< "" = none
  std::string backbone_sha256;
};

/// Fitted, immutable. @note Thread-safe.
class AnomalyModel {
 public:
  virtual ~AnomalyModel() = default;
  [[nodiscard]] virtual const ModelTraits& traits() const noexcept = 0;
  /// Map and score of each tile. Ignored pixels are 0 in the map and no part of the score.
  [[nodiscard]] virtual Prediction predict(const at::Tensor& images,
                                           const at::Tensor& keep) const = 0;
  virtual void save(CheckpointWriter& out) const = 0;
};

/// One thread, used once: observe every batch of good tiles, then finish.
class Fitter {
 public:
  virtual ~Fitter() = default;
  /// @param images tiles of good frames, any N; @param keep as above.
  virtual void observe(const at::Tensor& images, const at::Tensor& keep) = 0;
  /// The work that needs all data (coreset, statistics). @throws Error(kBadOption) if too little
  /// was observed; Error(kCancelled) soon after `stop` is requested.
  [[nodiscard]] virtual std::unique_ptr<AnomalyModel> finish(const ProgressFn& progress,
                                                             std::stop_token stop) = 0;
};

}  // namespace uad

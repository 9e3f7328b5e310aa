// SPDX-License-Identifier: LGPL-2.1-or-later
// What a method that learns by gradient brings along; the loop around it is in training_loop.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/anomaly_model.h"
#include "core/checkpoint.h"
#include "core/gradient/batch_order.h"

namespace uad {

/// What one step sees, augmented already; where several processes share it, the part of this one.
struct Batch {
  at::Tensor images;  ///< float32 [N, 3, H, W], normalised by the InputSpec, channels-last
  at::Tensor keep;    ///< uint8 [N, 1, H, W], 1 = look, 0 = ignore; undefined = look everywhere
  at::Tensor masks;   ///< float32 [N, 1, H, W], 1 = defect; undefined where none were given
  at::Tensor labels;  ///< int64 [N], 1 = defective
  std::vector<Draw> draws;  ///< which samples these are
};

/// Named numbers that become curves: "loss", "accuracy" …
using Figures = std::map<std::string, double>;

/// A network that is being trained. @note One thread.
class Learner {
 public:
  virtual ~Learner() = default;
  /// One update of the weights; gradients are enabled. Several processes may share the batch, see
  /// core/distributed/shared_batch.h. @return "loss" at least; means over the samples, or figures
  /// of the whole batch.
  /// @throws Error(kFailed) before the weights change if the loss is not finite (see descend()).
  virtual Figures step(const Batch& batch, double learning_rate) = 0;
  /// Figures of images that are not learnt from, each the mean over the batch; gradients are off.
  virtual Figures validate(const Batch& batch) = 0;
  /// Called before the first batch of a validation; afterwards, figures of all its batches that are
  /// no means, as an AUROC.
  virtual void begin_validation() {}
  virtual Figures end_validation() { return {}; }
  /// Every tensor that the next step depends on, under names that stay the same. They share their
  /// storage with the learner, so that copying into them restores a state. Those of the optimiser
  /// begin with "optimiser.".
  [[nodiscard]] virtual TensorMap state() = 0;
  /// Of the weights as they are; they are copied.
  [[nodiscard]] virtual std::unique_ptr<AnomalyModel> model() = 0;
  /// Of the weight file of a network that takes part and is not trained; "" = none does.
  [[nodiscard]] virtual std::string weights_sha256() const { return {}; }
  /// Memory of one step, bytes.
  [[nodiscard]] virtual std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                                std::int64_t width) const = 0;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// How the network learns: one update, its figures, and the options that say how.
#pragma once

#include "core/gradient/learner.h"
#include "core/gradient/training_loop.h"
#include "core/method.h"
#include "models/tiny_unet/network.h"
#include "models/tiny_unet/rmsprop.h"

namespace uad::models::tiny_unet {

/// All options of the method; "unet_variant" is the only one that a fitted model depends on.
[[nodiscard]] std::vector<OptionSpec> option_specs();

/// Steps, batches, learning rates and augmentation. @param options  completed by option_specs().
/// @throws Error(kBadOption) if the crop is not a multiple of kSideUnit.
[[nodiscard]] LoopOptions loop_options(const nlohmann::json& options);

/// Figures: "loss" (with the decay term while it learns), "dice" (Sørensen of the whole batch) and
/// "iou" (mean over the images of that at probability 0.5; 1 where nothing is found and nothing is
/// there).
class UnetLearner final : public Learner {
 public:
  /// Weights are drawn with the seed.
  explicit UnetLearner(const FitContext& context);

  Figures step(const Batch& batch, double learning_rate) override;
  Figures validate(const Batch& batch) override;
  [[nodiscard]] TensorMap state() override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override;
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

 private:
  struct Answer {
    at::Tensor loss;  // [], without the decay term
    Figures figures;
  };
  [[nodiscard]] Answer answer(const Batch& batch) const;

  nlohmann::json options_;
  Execution execution_;
  Network network_;
  RmsProp optimiser_;
};

}  // namespace uad::models::tiny_unet

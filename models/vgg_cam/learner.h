// SPDX-License-Identifier: LGPL-2.1-or-later
// How the classifier learns: images through the frozen part, one step of Adam on the rest.
#pragma once

#include <string>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/gradient/training_loop.h"
#include "models/vgg_cam/network.h"
#include "models/vgg_cam/settings.h"

namespace uad::models::vgg_cam {

/// Batches, epochs, and the accuracy whose epoch ends the training.
[[nodiscard]] LoopOptions loop_options(const Settings& settings);

/// Figures: "loss" (see weighted_cross_entropy()) and "accuracy", the share told apart.
class CamLearner final : public Learner {
 public:
  /// @throws as find_backbone_weights() and Network.
  CamLearner(const Settings& settings, const FitContext& context);
  Figures step(const Batch& batch, double learning_rate) override;
  Figures validate(const Batch& batch) override;
  [[nodiscard]] TensorMap state() override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override;
  [[nodiscard]] std::string weights_sha256() const override { return sha256_; }
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

 private:
  CamLearner(const Settings& settings, const FitContext& context, const BackboneWeights& weights);
  struct Answer {
    at::Tensor scores;  // [N, 2]
    at::Tensor loss;    // []
    Figures figures;
  };
  [[nodiscard]] Answer answer(const Batch& batch) const;

  Settings settings_;
  std::string sha256_;  // of the weight file
  Network network_;
  at::Tensor class_weight_;
  Adam adam_;
};

}  // namespace uad::models::vgg_cam

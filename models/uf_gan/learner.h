// SPDX-License-Identifier: LGPL-2.1-or-later
// Generator and discriminator on their way: steps within a task, and after each task a share of the
// way back. Source: specification, UF-GAN, section 7.
#pragma once

#include <memory>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/method.h"
#include "models/uf_gan/settings.h"

namespace uad::models::uf_gan {

class MuraLearner final : public Learner {
 public:
  MuraLearner(const Settings& settings, const FitContext& context);

  /// Changes the images of the batch at random, by the seeds of its draws.
  Figures step(const Batch& batch, double learning_rate) override;
  /// "score": mean anomaly score of images as they are.
  Figures validate(const Batch& batch) override;
  [[nodiscard]] TensorMap state() override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override;
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

 private:
  void begin_task();
  void end_task();

  Settings settings_;
  Execution execution_;
  TensorMap generator_;
  TensorMap discriminator_;
  TensorMap generator_before_;  // at the start of the task
  TensorMap discriminator_before_;
  Adam draws_;   // of the generator
  Adam judges_;  // of the discriminator
  at::Tensor done_;  // int64 [], steps
};

}  // namespace uad::models::uf_gan

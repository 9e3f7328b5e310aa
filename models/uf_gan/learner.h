// SPDX-License-Identifier: LGPL-2.1-or-later
// Generator and discriminator on their way: steps within a task, and after each task a share of the
// way back. Source: specification, UF-GAN, section 7.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/method.h"
#include "models/uf_gan/settings.h"

namespace uad::models::uf_gan {

/// Both networks, by the names of their layouts.
struct Networks {
  TensorMap generator;
  TensorMap discriminator;
};

/// What the learner has to know of the samples that its batches are drawn from.
struct Shots {
  at::Tensor crops;                        ///< float32 [K, 3, W, W], normalised
  at::Tensor frame_means;                  ///< float32 [K], see Tiles
  at::Tensor judged_means;                 ///< float32, of each sample to judge by
  std::vector<std::size_t> judged_frames;  ///< which frame each of these is part of
};

/// Memory of one step with everything that lasts from one to the next, bytes.
[[nodiscard]] std::int64_t training_bytes(const Settings& settings);

/// Figures of a step: see StepLosses; of a validation: "score", and "auroc" of whole frames.
class MuraLearner final : public Learner {
 public:
  /// Weights are drawn with the seed.
  MuraLearner(const Settings& settings, const FitContext& context, Shots shots);

  /// Changes the images of the batch at random, by the seeds of its draws.
  Figures step(const Batch& batch, double learning_rate) override;
  void begin_validation() override;
  Figures validate(const Batch& batch) override;
  Figures end_validation() override;
  [[nodiscard]] TensorMap state() override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override;
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

 private:
  void begin_task();
  void end_task();
  [[nodiscard]] at::Tensor prepared(const Batch& batch) const;
  /// The weights as they are to be used: copies on the CPU, with statistics averaged anew if that is
  /// set.
  [[nodiscard]] Networks for_use() const;

  Settings settings_;
  Execution execution_;
  Shots shots_;
  Networks networks_;
  Networks before_;  // at the start of the task
  Adam draws_;       // of the generator
  Adam judges_;      // of the discriminator
  at::Tensor done_;  // int64 [], steps

  std::unique_ptr<AnomalyModel> judged_;  // while a validation lasts
  std::vector<float> scores_;             // of its frames
  std::vector<std::uint8_t> labels_;      // the same
  std::size_t frame_ = 0;                 // of the last one
};

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
// The network on its way: a first task learns freely, a later one within the limits that keep what
// was learnt before. Source: specification, IUF, section 7.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/method.h"
#include "models/iuf/features.h"
#include "models/iuf/knowledge.h"
#include "models/iuf/objective.h"
#include "models/iuf/settings.h"

namespace uad::models::iuf {

/// Memory of learning, bytes: a step of `images` of that size, and what the weights take.
[[nodiscard]] std::int64_t training_bytes(const Settings& settings, std::int64_t images,
                                          std::int64_t height, std::int64_t width);

/// Figures of a step: "loss", and of what it consists: "reconstruction", "classes", "compression";
/// of a validation: "error" (of the reconstruction) and "accuracy" (of the product).
class IufLearner final : public Learner {
 public:
  struct Task {
    Knowledge start;  ///< with room for the products of this task
    bool increment = false;
    std::int64_t known_classes = 0;  ///< that were learnt before
    std::int64_t steps_per_epoch = 1;
    at::Tensor features;  ///< of each sample, float32 [N, C, h, w]; undefined = made anew
    at::Tensor validation_features;  ///< the same
  };
  IufLearner(const Settings& settings, const FitContext& context, Features features, Task task);

  /// Labels of a batch are indices of products.
  Figures step(const Batch& batch, double learning_rate) override;
  Figures validate(const Batch& batch) override;
  [[nodiscard]] TensorMap state() override;
  /// Not for use yet: what is usual for its products is still to be found out.
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override { return model(knowledge()); }
  /// Of what it has learnt and the fitter has found out about it.
  [[nodiscard]] std::unique_ptr<AnomalyModel> model(Knowledge knowledge) const;
  [[nodiscard]] std::string weights_sha256() const override { return features_.sha256(); }
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

  /// What it has learnt, without the memory of this task.
  [[nodiscard]] Knowledge knowledge() const;
  /// The outputs of the constrained layers for samples of the task, averaged over tokens.
  /// @return float32 [N, 256] for each layer.
  [[nodiscard]] std::vector<at::Tensor> outputs(const Batch& batch) const;

 private:
  [[nodiscard]] std::unique_ptr<Optimiser> make_optimiser() const;
  [[nodiscard]] at::Tensor features_of(const Batch& batch, const at::Tensor& known) const;
  [[nodiscard]] at::Tensor error(const at::Tensor& rebuilt, const at::Tensor& aligned,
                                 const at::Tensor& keep) const;

  Settings settings_;
  FitContext context_;
  Features features_;
  Task task_;
  c10::Device device_;
  TensorMap weights_;
  std::unique_ptr<Optimiser> optimiser_;
  Compression compression_;
  at::Tensor done_;  // int64 [], steps
};

}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
// The student on its way to imitate the teacher.
#pragma once

#include <memory>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/method.h"
#include "models/backbones/backbones.h"
#include "models/backbones/trainable_resnet.h"

namespace uad::models::stfpm {

class StudentLearner final : public Learner {
 public:
  /// @throws as find_backbone().
  explicit StudentLearner(const FitContext& context);
  /// @param teacher  with layers of the student's shape.
  StudentLearner(const FitContext& context, FittedBackbone teacher);

  Figures step(const Batch& batch, double learning_rate) override;
  /// "error": mean of the product map at a quarter of the size.
  Figures validate(const Batch& batch) override;
  [[nodiscard]] TensorMap state() override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> model() override;
  [[nodiscard]] std::string weights_sha256() const override { return teacher_.sha256; }
  [[nodiscard]] std::int64_t step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const override;

 private:
  [[nodiscard]] std::vector<at::Tensor> taught(const at::Tensor& images) const;
  [[nodiscard]] std::vector<at::Tensor> learnt(const at::Tensor& images, bool training);

  [[nodiscard]] at::Tensor kept_of(const Batch& batch, std::int64_t height,
                                   std::int64_t width) const;

  FitContext context_;
  FittedBackbone teacher_;
  c10::Device device_;
  TrainableResNet student_;
  Sgd optimiser_;
  bool amp_;
};

}  // namespace uad::models::stfpm

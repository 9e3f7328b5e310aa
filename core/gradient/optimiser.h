// SPDX-License-Identifier: LGPL-2.1-or-later
// Updates of weights from their gradients, with a state that can be stored and restored.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/checkpoint.h"

namespace uad {

/// Holds its parameters: float32, requiring gradients. @note One thread.
class Optimiser {
 public:
  virtual ~Optimiser() = default;
  /// One update by the gradients of the parameters; those without one stay as they are.
  virtual void step(double learning_rate) = 0;
  /// As Learner::state(), names beginning with "optimiser.".
  [[nodiscard]] virtual TensorMap state() = 0;
  [[nodiscard]] const std::vector<at::Tensor>& parameters() const noexcept { return parameters_; }

 protected:
  explicit Optimiser(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) {}
  std::vector<at::Tensor> parameters_;
};

/// The parts of descend(), for losses that are differentiated by hand: weighted_by_share() before
/// and sum_gradients_over_batch() after (core/distributed/shared_batch.h).
void clear_gradients(const Optimiser& optimiser);
/// Of the whole batch. @throws Error(kFailed)
void require_finite(const at::Tensor& loss);
/// @return the common 2-norm. @throws Error(kFailed) if it is not finite.
double require_finite_gradients(const Optimiser& optimiser);

/// Gradients of `loss`, limited to `clip_norm` in their common 2-norm (0 = not limited), then one
/// step. @return the norm before it was limited.
/// @throws Error(kFailed) before any weight changes if the loss or the norm is not finite.
double descend(const at::Tensor& loss, Optimiser& optimiser, double learning_rate,
               double clip_norm = 0);

/// Stochastic gradient descent with momentum, as torch.optim.SGD: no dampening, no Nesterov, weight
/// decay added to the gradient.
class Sgd final : public Optimiser {
 public:
  struct Options {
    double momentum = 0.9;
    double weight_decay = 0;
  };
  Sgd(std::vector<at::Tensor> parameters, Options options);
  void step(double learning_rate) override;
  [[nodiscard]] TensorMap state() override;

 private:
  Options options_;
  std::vector<at::Tensor> momentum_;  // of each parameter, 0 at first; none where it is 0
};

/// Adam (arXiv 1412.6980) as torch.optim.Adam, or AdamW (arXiv 1711.05101) as torch.optim.AdamW.
class Adam final : public Optimiser {
 public:
  struct Options {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0;
    bool decoupled = false;  ///< AdamW: weight decay shrinks the weights, not the gradient
  };
  Adam(std::vector<at::Tensor> parameters, Options options);
  void step(double learning_rate) override;
  [[nodiscard]] TensorMap state() override;

 private:
  Options options_;
  std::vector<at::Tensor> mean_;    // of the gradient
  std::vector<at::Tensor> square_;  // its second moment
  std::vector<at::Tensor> steps_;   // float32 [], of each parameter
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Steps that learn a new product and disturb old ones little: gradients along what outputs for old
// products consist of are damped, and weights are pulled towards the old ones. Source:
// specification, IUF, section 7.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/gradient/optimiser.h"

namespace uad::models::iuf {

/// What the outputs of one layer consist of, over all images it was shown: the singular values and
/// right singular vectors of the matrix with one row an image. Empty at first.
struct Directions {
  at::Tensor values;   ///< float32 [C], falling, 0 where there were fewer rows; undefined = empty
  at::Tensor vectors;  ///< float32 [C, C], a row each, orthonormal

  [[nodiscard]] bool empty() const { return !values.defined(); }
  /// With more rows: as if all had been decomposed together. @param rows  float32 [R, C].
  [[nodiscard]] Directions with(const at::Tensor& rows) const;
  /// What gradients are multiplied with: V diag(w) Vᵀ, w_i = ln(i + 1) / ln(C), and 1 for the
  /// directions that no row has. @return float32 [C, C].
  [[nodiscard]] at::Tensor projector() const;
};

/// Gradient descent as described above. Source: IUF's ConstrainedSGD.
class ConstrainedSgd final : public Optimiser {
 public:
  /// A layer whose outputs were remembered: indices into the parameters.
  struct Layer {
    std::size_t weight = 0;
    std::size_t bias = 0;
    at::Tensor projector;  ///< [C, C]
  };
  /// What is drawn towards its old value, parameter or not; a view may leave out what is new.
  struct Pulled {
    at::Tensor now;
    at::Tensor before;
  };
  /// @param rates  factor of the learning rate for each parameter; empty = 1.
  ConstrainedSgd(std::vector<at::Tensor> parameters, std::vector<double> rates,
                 std::vector<Layer> layers, std::vector<Pulled> pulled, double pull);
  void step(double learning_rate) override;
  [[nodiscard]] TensorMap state() override { return {}; }  ///< it has none

 private:
  std::vector<double> rates_;
  std::vector<Layer> layers_;
  std::vector<Pulled> pulled_;
  double pull_;
};

}  // namespace uad::models::iuf

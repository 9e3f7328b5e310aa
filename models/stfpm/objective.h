// SPDX-License-Identifier: LGPL-2.1-or-later
// How far a student's features are from its teacher's. Source: Wang et al., "Student-Teacher
// Feature Pyramid Matching for Anomaly Detection" (arXiv 2103.04257), section 3; specification,
// STFPM.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::stfpm {

/// Squared distance of the features, each divided by its 2-norm over channels (at least 1e-12).
/// @param teacher, student  float32 [N, C, h, w]. @return [N, h, w], 0 … 4.
[[nodiscard]] at::Tensor distances(const at::Tensor& teacher, const at::Tensor& student);

/// Sum over layers of the mean distance. The paper's factor 1/2 is left out, as in
/// QualityInspector, whose learning rate fits that.
/// @param kept  bool [N, h, w] of each layer: the positions that count; undefined = all.
[[nodiscard]] at::Tensor loss(const std::vector<at::Tensor>& teacher,
                              const std::vector<at::Tensor>& student,
                              const std::vector<at::Tensor>& kept);

}  // namespace uad::models::stfpm

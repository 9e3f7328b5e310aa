// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/objective.h"

#include <ATen/ATen.h>

#include "core/distributed/shared_batch.h"

namespace uad::models::stfpm {

namespace {

constexpr double kFloor = 1e-12;

at::Tensor normalised(const at::Tensor& features) {
  const at::Tensor x = features.to(at::kFloat);
  return x / at::linalg_vector_norm(x, 2, {1}, true).clamp_min(kFloor);
}

}  // namespace

at::Tensor distances(const at::Tensor& teacher, const at::Tensor& student) {
  return (normalised(teacher) - normalised(student)).square().sum(1);
}

at::Tensor loss(const std::vector<at::Tensor>& teacher, const std::vector<at::Tensor>& student,
                const std::vector<at::Tensor>& kept) {
  at::Tensor sum;
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    const at::Tensor all = distances(teacher[i], student[i]);
    const at::Tensor mean = kept[i].defined()
                                ? sum_over_batch((all * kept[i]).sum()) /
                                      sum_over_batch(kept[i].sum(at::kFloat)).clamp_min(1)
                                : all.mean();
    sum = sum.defined() ? sum + mean : mean;
  }
  return sum;
}

}  // namespace uad::models::stfpm

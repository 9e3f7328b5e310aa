// SPDX-License-Identifier: LGPL-2.1-or-later
// A tensor against five numbers of a specification. Source: specification, representation-based
// detectors, section 8, which sets the tolerances, too.
#pragma once

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace uad::test {

struct GoldenValues {
  double mean;  ///< 0 = but for rounding
  double std;   ///< of the population
  double first;
  double last;
  double middle;  ///< index size / 2 in every dimension but the batch
};

/// @param tensor  [1, ...].
inline void expect_golden(const at::Tensor& tensor, const GoldenValues& expected) {
  const at::Tensor values = tensor[0].to(at::kDouble);
  at::Tensor middle = values;
  while (middle.dim() > 0) middle = middle[middle.size(0) / 2];
  const at::Tensor flat = values.flatten();
  const double rounding = expected.mean == 0 ? 1e-6 : 0;
  EXPECT_NEAR(flat.mean().item<double>(), expected.mean, 1e-3 * std::abs(expected.mean) + rounding);
  EXPECT_NEAR(flat.std(/*unbiased=*/false).item<double>(), expected.std, 1e-3 * expected.std);
  EXPECT_NEAR(flat[0].item<double>(), expected.first, 2e-3 * expected.std);
  EXPECT_NEAR(flat[-1].item<double>(), expected.last, 2e-3 * expected.std);
  EXPECT_NEAR(middle.item<double>(), expected.middle, 2e-3 * expected.std);
}

}  // namespace uad::test

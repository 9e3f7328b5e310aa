// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts for the tests of methods: good ones, and one whose defect must be found.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/anomaly_model.h"

namespace uad::test {

/// Stripes with noise, float32 [1, 3, height, width]; `defect` adds a bright square, 12 pixels
/// wide, around row 46, column 70.
inline at::Tensor part(int seed, bool defect = false, std::int64_t height = 96,
                       std::int64_t width = 128) {
  at::manual_seed(seed);
  at::Tensor image = at::sin(at::arange(width) / 3.0).to(at::kFloat).expand({1, 3, height, width});
  image = image + at::randn({1, 3, height, width}) * 0.05;
  if (defect) image.slice(2, 40, 52).slice(3, 64, 76).add_(2);
  return image;
}

/// @param model  fitted on good parts of the default size.
inline void expect_finds_defect(const AnomalyModel& model) {
  const Prediction good = model.predict({part(20)});
  const Prediction bad = model.predict({part(20, true)});
  EXPECT_GT(bad.score.item<float>(), 2 * good.score.item<float>());
  ASSERT_EQ(bad.map.sizes(), at::IntArrayRef({1, 1, 96, 128}));
  const auto peak = bad.map.argmax().item<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(peak / 128), 46, 8);
  EXPECT_NEAR(static_cast<double>(peak % 128), 70, 8);
}

}  // namespace uad::test

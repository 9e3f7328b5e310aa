// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/distance.h"

#include <vector>

#include <gtest/gtest.h>

namespace {

TEST(SquaredDistance, CountsEveryElementForAllLengths) {
  for (std::int64_t size = 0; size <= 300; ++size) {
    const std::vector<float> a(size, 3.0F);
    const std::vector<float> b(size, 1.0F);
    EXPECT_EQ(uad::squared_distance(a.data(), b.data(), size), 4.0F * static_cast<float>(size));
  }
}

TEST(SquaredDistance, GivesUpOnlyBeyondTheLimit) {
  const std::vector<float> a(400, 1.0F);
  const std::vector<float> b(400, 0.0F);
  EXPECT_EQ(uad::squared_distance(a.data(), b.data(), 400, 400.0F), 400.0F);
  EXPECT_GT(uad::squared_distance(a.data(), b.data(), 400, 50.0F), 50.0F);
}

TEST(SquaredDistance, KeepsTheDigitsOfCloseNeighbours) {
  const std::vector<float> a(384, 1000.0F);
  std::vector<float> b = a;
  b[200] += 0.125F;
  EXPECT_EQ(uad::squared_distance(a.data(), b.data(), 384), 0.015625F);
}

}  // namespace

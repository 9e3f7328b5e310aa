// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tuning/measurement.h"

#include <gtest/gtest.h>

namespace uad {
namespace {

TEST(Spread, IsByNearestRank) {
  std::vector<double> times;
  for (int i = 200; i >= 1; --i) times.push_back(i);
  const Spread spread = spread_of(times);
  EXPECT_EQ(spread.median, 100);
  EXPECT_EQ(spread.p95, 190);
  EXPECT_EQ(spread.p99, 198);
  EXPECT_EQ(spread_of({}).p99, 0);
  EXPECT_EQ(spread_of({7}).median, 7);
}

}  // namespace
}  // namespace uad

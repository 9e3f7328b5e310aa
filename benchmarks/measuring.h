// SPDX-License-Identifier: LGPL-2.1-or-later
// What the benchmarks of networks count with.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace uad::benchmarks {

/// Of a clock that only goes forward.
inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// How often a second `work` can be done, by so many times in a row.
template <class Work>
double per_second(int times, Work&& work) {
  const double start = seconds();
  for (int i = 0; i < times; ++i) work();
  return times / (seconds() - start);
}

}  // namespace uad::benchmarks

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the benchmarks count with.
#pragma once

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace uad::benchmarks {

/// Of a clock that only goes forward.
inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Milliseconds that `work` takes: the median of so many times.
template <class Work>
double median_ms(int times, Work&& work) {
  std::vector<double> taken;
  for (int i = 0; i < times; ++i) {
    const double start = seconds();
    work();
    taken.push_back((seconds() - start) * 1e3);
  }
  return median(std::move(taken));
}

/// Lets another program measure in turns with this one: after two runs to warm up, every line of
/// standard input, a number, is answered by median_ms() of so many. The first answer, of one run,
/// comes unasked.
template <class Work>
void answer_with_medians(Work&& work) {
  for (int i = 0; i < 2; ++i) work();
  std::string line = "1";
  do {
    std::cout << fmt::format("{:.3f}\n", median_ms(std::stoi(line), work)) << std::flush;
  } while (std::getline(std::cin, line) && !line.empty());
}

/// How often a second `work` can be done, by so many times in a row.
template <class Work>
double per_second(int times, Work&& work) {
  const double start = seconds();
  for (int i = 0; i < times; ++i) work();
  return times / (seconds() - start);
}

}  // namespace uad::benchmarks

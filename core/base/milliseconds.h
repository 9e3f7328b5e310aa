// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

namespace uad {

inline double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace uad

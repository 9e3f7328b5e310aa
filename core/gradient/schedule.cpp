// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace uad {

double Schedule::at(std::int64_t step) const {
  const auto periods = [&] { return static_cast<double>(step) / static_cast<double>(every); };
  switch (kind) {
    case Kind::kStep:
      return rate * std::pow(factor, std::floor(periods()));
    case Kind::kExponential:
      return rate * std::pow(factor, periods());
    case Kind::kCosine: {
      const double share = static_cast<double>(std::min(step, total)) / static_cast<double>(total);
      return rate * (1 + std::cos(std::numbers::pi * share)) / 2;
    }
    default:
      return rate;
  }
}

}  // namespace uad

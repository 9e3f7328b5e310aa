// SPDX-License-Identifier: LGPL-2.1-or-later
// How the learning rate changes while training goes on.
#pragma once

#include <cstdint>

namespace uad {

struct Schedule {
  enum class Kind {
    kConstant,
    kStep,         ///< times `factor` after every `every` steps, at once
    kExponential,  ///< the same, a little at each step
    kCosine  ///< down to 0 at `total` along half a cosine (arXiv 1608.03983, without restarts)
  };
  Kind kind = Kind::kConstant;
  double rate = 0.1;  ///< of the first step
  double factor = 0.1;
  std::int64_t every = 1;  ///< steps
  std::int64_t total = 1;  ///< steps

  /// @param step  from 0.
  [[nodiscard]] double at(std::int64_t step) const;
};

}  // namespace uad

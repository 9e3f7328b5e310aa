// SPDX-License-Identifier: LGPL-2.1-or-later
// Squared Euclidean distances by direct subtraction, compiled once per instruction set.
//
// ‖a‖² + ‖b‖² − 2ab loses most of its digits for close neighbours (0.6 % were seen), so whatever
// becomes a score is computed here.
#pragma once

#include <cstdint>
#include <limits>

namespace uad {

/// Sum of (a - b)² over `size` floats. Once the sum is certain to exceed `limit` the rest is
/// skipped, and what is returned is only known to exceed `limit`. @note Thread-safe.
[[nodiscard]] float squared_distance(const float* a, const float* b, std::int64_t size,
                                     float limit = std::numeric_limits<float>::infinity());

}  // namespace uad

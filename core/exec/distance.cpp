// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/distance.h"

#include "core/base/simd.h"

namespace uad {

namespace {

constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kBlock = 4 * kLanes;  // floats between two looks at the limit
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using UnalignedLanes =
    float __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));

}  // namespace

// Written out rather than in helpers: a vector handed between functions has another ABI in every
// copy of the loop.
UAD_SIMD float squared_distance(const float* a, const float* b, std::int64_t size, float limit) {
  Lanes even{};
  Lanes odd{};
  float sum = 0;
  std::int64_t i = 0;
  while (i + kLanes <= size) {
    const std::int64_t stop = i + kBlock <= size ? i + kBlock : size;
    for (; i + 2 * kLanes <= stop; i += 2 * kLanes) {
      const Lanes d0 = *reinterpret_cast<const UnalignedLanes*>(a + i) -
                       *reinterpret_cast<const UnalignedLanes*>(b + i);
      const Lanes d1 = *reinterpret_cast<const UnalignedLanes*>(a + i + kLanes) -
                       *reinterpret_cast<const UnalignedLanes*>(b + i + kLanes);
      even += d0 * d0;
      odd += d1 * d1;
    }
    if (i + kLanes <= stop) {
      const Lanes d0 = *reinterpret_cast<const UnalignedLanes*>(a + i) -
                       *reinterpret_cast<const UnalignedLanes*>(b + i);
      even += d0 * d0;
      i += kLanes;
    }
    Lanes folded = even + odd;
    folded += __builtin_shufflevector(folded, folded, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4,
                                      5, 6, 7);
    folded += __builtin_shufflevector(folded, folded, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9,
                                      10, 11);
    sum = (folded[0] + folded[2]) + (folded[1] + folded[3]);
    if (sum > limit) return sum;
  }
  for (; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Only for the sources in this folder: functions for eight floats at a time.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include "core/exec/conv/tile_product.h"

/// Before a function: compiled for AVX2 and FMA whatever the rest is compiled for.
#define UAD_AVX2 __attribute__((target("avx2,fma")))

namespace uad::conv {

inline constexpr int kLanes = 8;

/// @param old  what stands in the output.
UAD_AVX2 inline __m256 finished(__m256 value, const Finish& finish, const float* bias,
                                const float* old) {
  value = _mm256_add_ps(value, _mm256_loadu_ps(bias));
  if (finish.add) value = _mm256_add_ps(value, _mm256_loadu_ps(old));
  if (finish.slope != 1) {
    const __m256 scaled = _mm256_mul_ps(value, _mm256_set1_ps(finish.slope));
    value = _mm256_blendv_ps(value, scaled, value);  // by the sign
  }
  // In this order of operands not-a-number stays what it is.
  value = _mm256_max_ps(_mm256_set1_ps(finish.low), value);
  return _mm256_min_ps(_mm256_set1_ps(finish.high), value);
}

}  // namespace uad::conv

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/conv/tile_product.h"

#include <algorithm>
#include <array>

#include "core/exec/conv/avx2.h"

namespace uad::conv {

#if defined(__x86_64__)

namespace {

// The last columns of a matrix: through a full row of their own.
UAD_AVX2 void store_part(const __m256* sums, const Tile& tile, float* out) {
  alignas(32) std::array<float, kColumns> bias{};
  alignas(32) std::array<float, kColumns> row{};
  std::copy_n(out, tile.column_count, row.data());
  if (tile.finish) {
    std::copy_n(tile.finish->bias + tile.first_column, tile.column_count, bias.data());
  }
  for (int half = 0; half < 2; ++half) {
    float* to = row.data() + half * kLanes;
    const __m256 value = tile.finish
                             ? finished(sums[half], *tile.finish, bias.data() + half * kLanes, to)
                             : sums[half];
    _mm256_storeu_ps(to, value);
  }
  std::copy_n(row.data(), tile.column_count, out);
}

template <int kCount>
UAD_AVX2 void compute_rows(const Tile& tile) {
  __m256 sums[kCount][2];
#pragma GCC unroll 6
  for (int r = 0; r < kCount; ++r) sums[r][0] = sums[r][1] = _mm256_setzero_ps();
  const float* weights = tile.weights;
  for (int tap = 0; tap < tile.taps; ++tap) {
    const float* rows[kCount];
#pragma GCC unroll 6
    for (int r = 0; r < kCount; ++r) rows[r] = tile.rows[tap * kRows + r];
    for (int i = 0; i < tile.depth; ++i, weights += kColumns) {
      const __m256 left = _mm256_loadu_ps(weights);
      const __m256 right = _mm256_loadu_ps(weights + kLanes);
#pragma GCC unroll 6
      for (int r = 0; r < kCount; ++r) {
        const __m256 value = _mm256_broadcast_ss(rows[r] + i);
        sums[r][0] = _mm256_fmadd_ps(value, left, sums[r][0]);
        sums[r][1] = _mm256_fmadd_ps(value, right, sums[r][1]);
      }
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kCount; ++r) {
    float* out = tile.out + r * tile.out_stride;
    if (tile.column_count < kColumns) {
      const __m256 row[2] = {sums[r][0], sums[r][1]};
      store_part(row, tile, out);
    } else if (tile.finish) {
      const float* bias = tile.finish->bias + tile.first_column;
      _mm256_storeu_ps(out, finished(sums[r][0], *tile.finish, bias, out));
      _mm256_storeu_ps(out + kLanes,
                       finished(sums[r][1], *tile.finish, bias + kLanes, out + kLanes));
    } else {
      _mm256_storeu_ps(out, sums[r][0]);
      _mm256_storeu_ps(out + kLanes, sums[r][1]);
    }
  }
}

}  // namespace

bool have_tiles() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

void compute(const Tile& tile) {
  static constexpr std::array<void (*)(const Tile&), kRows> kByCount{
      compute_rows<1>, compute_rows<2>, compute_rows<3>,
      compute_rows<4>, compute_rows<5>, compute_rows<6>};
  kByCount[static_cast<std::size_t>(tile.row_count - 1)](tile);
}

bool tiles_pay() { return have_tiles() && __builtin_cpu_supports("avx512f") == 0; }

#else

bool have_tiles() { return false; }
bool tiles_pay() { return false; }

void compute(const Tile&) {}

#endif

}  // namespace uad::conv

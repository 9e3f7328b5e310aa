// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic on the matrices of sixteen positions side by side: every loop runs over whole vectors,
// whatever the size of the matrices, and only lower triangles are stored.
//
// Layout: entry (i, j ≤ i) of the sixteen matrices lies at [i (i + 1) / 2 + j][16].
#pragma once

#include <cstdint>

namespace uad::models::padim {

inline constexpr std::int64_t kLanes = 16;

/// Entries of a lower triangle.
constexpr std::int64_t triangle(std::int64_t size) { return size * (size + 1) / 2; }

/// What a stored factor is multiplied with. No entry of it exceeds 10 (the regularisation bounds
/// it), so that float16's range is used downwards, where the small entries are.
inline constexpr float kFactorScale = 4096;

/// ‖W d‖² of sixteen positions.
/// @param factor  float16 [triangle(size)][16]: lower-triangular W times kFactorScale, no
/// subnormals. @param differences  float32 [size][16], below 2^27; overwritten.
/// @param squared  float32 [16], the result. @note Reentrant.
void squared_lengths(const std::uint16_t* factor, float* differences, std::int64_t size,
                     float* squared);

/// sums += Σ row rowᵀ over `count` rows.
/// @param sums  float32 [triangle(size)][16]. @param rows  float32 [count][size][16].
/// @note Reentrant.
void add_products(float* sums, const float* rows, std::int64_t count, std::int64_t size);

}  // namespace uad::models::padim

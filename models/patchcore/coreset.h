// SPDX-License-Identifier: LGPL-2.1-or-later
// Greedy k-centre selection: which patches become the memory bank.
// Source: specification, PatchCore, section 4.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/backend.h"

namespace uad::models::patchcore {

/// Target dimension of the projection for `points` vectors at eps 0.9.
[[nodiscard]] std::int64_t projected_dimension(std::int64_t points);

/// Sparse random projection, float32 [rows, columns]: each entry is non-zero with probability
/// 1/sqrt(columns), its sign is even odds, and squared lengths are kept on average.
[[nodiscard]] at::Tensor random_projection(std::int64_t rows, std::int64_t columns,
                                           std::uint64_t seed);

/// Dense random projection, float32 [rows, columns]: entries uniform in ±1/sqrt(columns), as the
/// paper's authors draw them.
[[nodiscard]] at::Tensor uniform_projection(std::int64_t rows, std::int64_t columns,
                                            std::uint64_t seed);

/// Where a selection begins.
struct Start {
  std::vector<std::int64_t> points;  ///< with several, distances count from their mean distance
  bool picked = false;               ///< a single one is itself the first pick
};

/// Farthest-first selection: each pick is the point farthest from the start and all earlier picks
/// (the lowest index on ties).
///
/// Exact for any points, and fast where the first coordinates tell them apart: a point whose first
/// coordinates alone are farther from the new centre than it is from another one needs no more.
/// (Skipping by the triangle inequality was tried: distances between patches differ too little.)
/// @param points  float32 [n, d], contiguous, on the CPU. @param count  1 to n.
/// @return indices in the order of selection, each once.
/// Any number of picks is a selection of that size, so `control.enough` ends it with those made, but
/// not before a quarter: fewer would score otherwise than anybody expects of `count`.
/// Tells the figure "coverage": how far the worst point is from the picks, in the points' space.
/// @throws Error(kCancelled).
[[nodiscard]] std::vector<std::int64_t> select_centres(const at::Tensor& points, std::int64_t count,
                                                       const Start& start,
                                                       const FitControl& control);

/// What select_centres() keeps of every point, in floats.
[[nodiscard]] std::int64_t selection_floats();

}  // namespace uad::models::patchcore

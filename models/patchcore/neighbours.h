// SPDX-License-Identifier: LGPL-2.1-or-later
// Exact nearest neighbours in the memory bank.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/device.h"
#include "models/patchcore/product_scan.h"

namespace uad::models::patchcore {

struct Nearest {
  at::Tensor distance;  ///< float32 [Q], Euclidean
  at::Tensor index;     ///< int64 [Q], row of the bank; the lowest on ties
};

/// Points in a space where squared distances are lower bounds of those between the bank's vectors.
struct SearchSpace {
  at::Tensor columns;             ///< float32 or bfloat16 [d, M], one column per vector of the bank
  std::vector<float> half_norms;  ///< half the squared length of each column
  float largest_length = 0;       ///< of a column
  float product_loss = 0;         ///< what a product may lose, as a share of both lengths
};

/// The memory bank, arranged for search. Immutable. @note Thread-safe.
///
/// On the CPU most distances are never computed. The bank is rotated onto its principal axes; the
/// leading coordinates, and the length of the rest as one coordinate more, give a lower bound of
/// each distance from a matrix product a fraction of the size. Only vectors whose bound is below
/// the distance of the best vector so far are compared in full.
class Bank {
 public:
  /// @param vectors  float32 [M, D], M ≥ 1, on the CPU or a GPU.
  /// @param bf16_bound  multiply for the bound in bfloat16; the result is the same.
  explicit Bank(const at::Tensor& vectors, bool bf16_bound = cpu_has_fast_bf16());
  [[nodiscard]] const at::Tensor& vectors() const noexcept { return vectors_; }
  /// @param queries  float32 [Q, D], contiguous, on the bank's device. Same result as brute force:
  /// the winner's distance is computed by subtraction.
  [[nodiscard]] Nearest nearest(const at::Tensor& queries) const;
  /// Distances of one query [D] to every vector, on the CPU.
  [[nodiscard]] std::vector<float> distances(const at::Tensor& query) const;

 private:
  struct Best {
    float squared = 0;
    std::int64_t index = -1;
  };
  void arrange(bool bf16_bound);
  [[nodiscard]] std::vector<std::int64_t> search(const SearchSpace& space, const at::Tensor& points,
                                                 const at::Tensor& queries,
                                                 const std::vector<std::int64_t>& rows,
                                                 std::int64_t most, Nearest& nearest) const;
  [[nodiscard]] Best best_of(const SearchSpace& space, const ProductScan& scan, const float* query,
                             float norm, std::int64_t most) const;
  [[nodiscard]] Nearest nearest_on_gpu(const at::Tensor& queries) const;

  at::Tensor vectors_;   // contiguous
  at::Tensor centre_;    // [D]
  at::Tensor rotation_;  // [D, D], principal axes in columns, strongest first; undefined: no bound
  std::int64_t leading_ = 0;
  SearchSpace bound_;  // leading coordinates and the length of the rest
  SearchSpace full_;   // the vectors themselves
};

}  // namespace uad::models::patchcore

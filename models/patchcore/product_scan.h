// SPDX-License-Identifier: LGPL-2.1-or-later
// One row of a matrix product, searched for small distances: half_norms - products, which is half
// the squared distance less what is the same for the whole row.
#pragma once

#include <cstdint>
#include <vector>

namespace uad::models::patchcore {

/// @note One thread; meant to be used for many rows in turn.
class ProductScan {
 public:
  explicit ProductScan(std::int64_t count);
  /// Looks at one row. `products` is float32, or bfloat16 where `bf16`; both arrays hold `count`
  /// values and must outlive the calls below.
  void set_row(const float* half_norms, const void* products, bool bf16);
  /// Index of a smallest value.
  [[nodiscard]] std::int64_t smallest() const;
  /// Indices of all values up to `limit`, ascending; cut off after most + 1 of them.
  void find_up_to(float limit, std::int64_t most, std::vector<std::int64_t>& found) const;

 private:
  [[nodiscard]] float value(std::int64_t index) const;

  std::int64_t count_;
  const float* half_norms_ = nullptr;
  const void* products_ = nullptr;
  bool bf16_ = false;
  std::vector<float> minima_;  // of every block
};

}  // namespace uad::models::patchcore

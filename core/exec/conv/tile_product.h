// SPDX-License-Identifier: LGPL-2.1-or-later
// The innermost loop of convolutions in float32: a few rows times sixteen columns of weights, kept
// in registers. For x86-64 with AVX2 and FMA.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace uad::conv {

inline constexpr int kRows = 6;      ///< of a tile
inline constexpr int kColumns = 16;  ///< of a tile

/// Whether this CPU, and this build, can compute tiles.
[[nodiscard]] bool have_tiles();
/// Whether they are the fastest way: with AVX-512 oneDNN has twice the vectors.
[[nodiscard]] bool tiles_pay();

/// What happens to a sum before it is stored.
struct Finish {
  const float* bias = nullptr;  ///< [out_channels]
  bool add = false;             ///< to what stands in the output
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  float slope = 1;  ///< of negative values
};

/// A matrix [columns, depth] as tiles read it: groups of sixteen columns, each [depth, 16], the
/// last one filled up with zeros.
class PackedColumns {
 public:
  PackedColumns() = default;
  /// @param at  value of (column, place along the depth).
  template <class At>
  PackedColumns(std::int64_t columns, std::int64_t depth, At&& at)
      : columns_(columns),
        depth_(depth),
        values_(static_cast<std::size_t>(groups() * depth * kColumns)) {
    for (std::int64_t column = 0; column < columns; ++column) {
      float* to = values_.data() + column / kColumns * depth * kColumns + column % kColumns;
      for (std::int64_t i = 0; i < depth; ++i) to[i * kColumns] = at(column, i);
    }
  }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t groups() const { return (columns_ + kColumns - 1) / kColumns; }
  [[nodiscard]] const float* group(std::int64_t i) const {
    return values_.data() + i * depth_ * kColumns;
  }

 private:
  std::int64_t columns_ = 0;
  std::int64_t depth_ = 0;
  std::vector<float> values_;
};

struct Tile {
  const float* const* rows = nullptr;  ///< [taps][kRows] → `depth` floats each
  int taps = 1;
  int depth = 0;
  const float* weights = nullptr;  ///< [taps * depth][kColumns]
  float* out = nullptr;
  std::int64_t out_stride = 0;     ///< floats between rows
  int row_count = kRows;           ///< 1 … kRows
  int column_count = kColumns;     ///< that are stored, 1 … kColumns
  const Finish* finish = nullptr;  ///< null = the sums as they are
  std::int64_t first_column = 0;   ///< of the bias
};

/// out[r][c] = finish(Σ rows[tap][r][i] · weights[tap · depth + i][c]).
void compute(const Tile& tile);

}  // namespace uad::conv

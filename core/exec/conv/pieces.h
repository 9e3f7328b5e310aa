// SPDX-License-Identifier: LGPL-2.1-or-later
// How the rows of a matrix product are shared out: pieces for threads, even tiles within a piece.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/exec/conv/tile_product.h"

namespace uad::conv {

struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

/// Part `i` of `parts` that differ by one at most.
[[nodiscard]] inline Span part(std::int64_t whole, std::int64_t parts, std::int64_t i) {
  return {whole * i / parts, whole * (i + 1) / parts};
}

/// Tiles of at most kRows rows.
[[nodiscard]] inline std::int64_t tile_count(std::int64_t rows) {
  return (rows + kRows - 1) / kRows;
}

/// Rows in pieces of about `wish`, for so many threads.
class Pieces {
 public:
  Pieces(std::int64_t rows, std::int64_t wish, int threads) : rows_(rows) {
    const std::int64_t least = (rows + wish - 1) / wish;
    const std::int64_t even = (least + threads - 1) / threads * threads;
    count_ = std::clamp<std::int64_t>(even, 1, std::max<std::int64_t>(1, rows / kRows));
    whole_tiles_ = tile_count(rows) >= kManyTiles * count_;
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] Span at(std::int64_t i) const {
    if (!whole_tiles_) return part(rows_, count_, i);
    const Span tiles = part(tile_count(rows_), count_, i);
    return {tiles.begin * kRows, std::min(tiles.end * kRows, rows_)};
  }

 private:
  // Where a piece has fewer, its size counts for more than that all of its tiles are full.
  static constexpr std::int64_t kManyTiles = 6;

  std::int64_t rows_;
  std::int64_t count_ = 1;
  bool whole_tiles_ = false;
};

}  // namespace uad::conv

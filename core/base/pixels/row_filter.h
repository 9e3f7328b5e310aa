// SPDX-License-Identifier: LGPL-2.1-or-later
// The antialiasing filter of one axis and the loops that apply it to 8-bit images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace uad {

/// The triangle filter, for every output where its taps begin and their weights. Where it is
/// antialiased, its support grows with the down-scale factor. Source: the BILINEAR of Pillow, bit
/// for bit; without antialiasing PyTorch's interpolate (bilinear, align_corners=false).
struct Filter {
  std::size_t taps = 0;         ///< of the widest output
  std::vector<int> first;       ///< [to]
  std::vector<double> weights;  ///< [to, taps], sum 1 each
};
Filter triangle_filter(int from, int to, bool antialias = true);

/// The filter in fixed point, 22 bits, each weight in two halves that fit 16-bit multipliers:
/// weight = high * 2048 + low.
struct FixedFilter {
  std::size_t taps = 0;    ///< padded with zeros to whole blocks
  std::vector<int> first;  ///< [outputs], padded with empty outputs to whole kRowOutputs
  std::vector<std::int16_t> high, low;  ///< [outputs, taps]
};
FixedFilter fixed_filter(int from, int to, std::size_t block, bool antialias = true);

/// Block of fixed_filter() that filter_row() and filter_column() need.
inline constexpr std::size_t kRowBlock = 16;
inline constexpr std::size_t kColumnBlock = 2;
/// Samples that filter_row() and filter_column() write at once, so what their rows are padded to.
inline constexpr std::size_t kRowOutputs = 4;
inline constexpr std::size_t kColumnBytes = 16;

/// One row of samples → one row of bytes, rounded.
/// @param samples  int16, 0…255, readable for filter.taps samples past the last.
/// @param to       as many as the filter has outputs, and writable up to whole kRowOutputs.
void filter_row(const std::int16_t* samples, const FixedFilter& filter, std::uint8_t* to);

/// Rows of bytes → one row, output `index` of the filter, rounded, 0…255.
/// @param rows  uint8 [height, stride]; stride is a multiple of kColumnBytes.
/// @param to    [stride]
void filter_column(const std::uint8_t* rows, std::size_t stride, std::size_t height,
                   const FixedFilter& filter, std::size_t index, std::int16_t* to);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/conv/direct_conv.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "core/exec/conv/pieces.h"
#include "core/exec/parallel.h"

namespace uad::conv {

namespace {

constexpr std::int64_t kFewChannels = 4;
constexpr std::int64_t kPixels = 96;  // of a piece: their inputs stay in the second-level cache

/// Copies the images into a frame of zeros, which becomes part of them.
Geometry with_frame(const Geometry& from, const float* x, std::vector<float>& framed) {
  Geometry to = from;
  to.height += 2 * from.padding;
  to.width += 2 * from.padding;
  to.padding = 0;
  framed.assign(static_cast<std::size_t>(to.batch * to.height * to.width * to.channels), 0);
  for (std::int64_t row = 0; row < from.batch * from.height; ++row) {
    const std::int64_t image = row / from.height;
    const std::int64_t line = image * to.height + row % from.height + from.padding;
    std::copy_n(x + row * from.width * from.channels, from.width * from.channels,
                framed.data() + (line * to.width + from.padding) * to.channels);
  }
  return to;
}

/// Where the inputs of an output pixel begin, for every tap of the kernel.
class Taps {
 public:
  Taps(const Geometry& geometry, const float* x, const float* zeros, bool rows_as_taps)
      : geometry_(geometry),
        x_(x),
        zeros_(zeros),
        across_(rows_as_taps ? 1 : geometry.kernel),
        out_width_(geometry.out_width()),
        out_pixels_(geometry.out_height() * out_width_) {}
  [[nodiscard]] std::int64_t count() const { return geometry_.kernel * across_; }
  /// @param to  [taps][kRows]; those of one pixel are kRows apart.
  void of_pixel(std::int64_t pixel, const float** to) const {
    const std::int64_t image = pixel / out_pixels_;
    const std::int64_t place = pixel % out_pixels_;
    const std::int64_t top = place / out_width_ * geometry_.stride - geometry_.padding;
    const std::int64_t left = place % out_width_ * geometry_.stride - geometry_.padding;
    for (std::int64_t i = 0; i < geometry_.kernel; ++i) {
      for (std::int64_t j = 0; j < across_; ++j, to += kRows) {
        const std::int64_t row = top + i;
        const std::int64_t column = left + j;
        const bool inside =
            row >= 0 && row < geometry_.height && column >= 0 && column < geometry_.width;
        *to = inside ? x_ + ((image * geometry_.height + row) * geometry_.width + column) *
                                geometry_.channels
                     : zeros_;
      }
    }
  }

 private:
  const Geometry& geometry_;
  const float* x_;
  const float* zeros_;
  std::int64_t across_;
  std::int64_t out_width_;
  std::int64_t out_pixels_;
};

}  // namespace

DirectConv::DirectConv(const float* weight, std::int64_t out_channels, std::int64_t channels,
                       std::int64_t kernel)
    : rows_as_taps_(channels <= kFewChannels && kernel > 1),
      weights_(out_channels, channels * kernel * kernel,
               [&](std::int64_t column, std::int64_t i) {
                 return weight[(column * channels + i % channels) * kernel * kernel + i / channels];
               }),
      zeros_(static_cast<std::size_t>(channels)) {}

void DirectConv::run(const Geometry& outer, const float* x, float* y, const Finish& finish) const {
  Geometry geometry = outer;
  std::vector<float> framed;
  if (rows_as_taps_) {
    geometry = with_frame(outer, x, framed);
    x = framed.data();
  }
  const Taps taps(geometry, x, zeros_.data(), rows_as_taps_);
  const std::int64_t depth = geometry.channels * (rows_as_taps_ ? geometry.kernel : 1);
  const std::int64_t pixels = geometry.batch * geometry.out_height() * geometry.out_width();
  const Pieces pieces(pixels, kPixels, at::get_num_threads());
  const auto work = [&](std::int64_t first, std::int64_t last) {
    std::vector<const float*> rows;
    for (std::int64_t piece = first; piece < last; ++piece) {
      const Span span = pieces.at(piece);
      const std::int64_t tiles = tile_count(span.size());
      rows.assign(static_cast<std::size_t>(tiles * taps.count() * kRows), nullptr);
      for (std::int64_t t = 0; t < tiles; ++t) {
        const Span own = part(span.size(), tiles, t);
        for (std::int64_t r = 0; r < own.size(); ++r) {
          taps.of_pixel(span.begin + own.begin + r, rows.data() + t * taps.count() * kRows + r);
        }
      }
      for (std::int64_t group = 0; group < weights_.groups(); ++group) {
        const std::int64_t column = group * kColumns;
        for (std::int64_t t = 0; t < tiles; ++t) {
          const Span own = part(span.size(), tiles, t);
          compute({.rows = rows.data() + t * taps.count() * kRows,
                   .taps = static_cast<int>(taps.count()),
                   .depth = static_cast<int>(depth),
                   .weights = weights_.group(group),
                   .out = y + (span.begin + own.begin) * geometry.out_channels + column,
                   .out_stride = geometry.out_channels,
                   .row_count = static_cast<int>(own.size()),
                   .column_count = static_cast<int>(
                       std::min<std::int64_t>(kColumns, geometry.out_channels - column)),
                   .finish = &finish,
                   .first_column = column});
        }
      }
    }
  };
  parallel_for(0, pieces.count(), 1, work);
}

}  // namespace uad::conv

// SPDX-License-Identifier: LGPL-2.1-or-later
// Bilinear resize: across first, then down.
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/image.h"
#include "core/base/pixels/rgb_rows.h"
#include "core/base/pixels/row_filter.h"

namespace uad {
namespace {

std::size_t to_size(int value) { return static_cast<std::size_t>(value); }

std::size_t whole(std::size_t count, std::size_t block) {
  return (count + block - 1) / block * block;
}

/// Bytes [height, channels, width], every plane and every row padded to whole blocks.
struct Strip {
  std::size_t plane_stride = 0;
  std::size_t stride = 0;
  int height = 0;
  std::unique_ptr<std::uint8_t[]> bytes;
};

Strip shrink_across(RgbRows& rows, int width, bool antialias) {
  const FixedFilter filter = fixed_filter(rows.width(), width, kRowBlock, antialias);
  const std::size_t channels = to_size(rows.channels());
  Strip strip{whole(to_size(width), kRowOutputs), 0, rows.height(), {}};
  strip.stride = whole(channels * strip.plane_stride, kColumnBytes);
  strip.bytes =
      std::make_unique_for_overwrite<std::uint8_t[]>(strip.stride * to_size(strip.height));
  // The last outputs read up to `taps` samples past the row; those meet a weight of 0.
  const std::size_t padded = to_size(rows.width()) + filter.taps;
  std::vector<std::int16_t> samples(3 * padded);
  const std::array<std::int16_t*, 3> planes{samples.data(), samples.data() + padded,
                                            samples.data() + 2 * padded};
  for (int y = 0; y < strip.height; ++y) {
    rows.read(y, planes);
    std::uint8_t* const row = strip.bytes.get() + to_size(y) * strip.stride;
    for (std::size_t c = 0; c < channels; ++c) {
      filter_row(planes[c], filter, row + c * strip.plane_stride);
    }
  }
  return strip;
}

/// @param channels  of the strip and of the image.
Image shrink_down(const Strip& strip, Size size, int channels, bool antialias) {
  const FixedFilter filter = fixed_filter(strip.height, size.height, kColumnBlock, antialias);
  const std::size_t width = to_size(size.width);
  Image image{size.width, size.height, channels, {}};
  image.pixels.resize(width * to_size(channels) * to_size(size.height));
  std::vector<std::int16_t> row(strip.stride);
  std::uint8_t* to = image.pixels.data();
  for (std::size_t y = 0; y < to_size(size.height); ++y, to += width * to_size(channels)) {
    filter_column(strip.bytes.get(), strip.stride, to_size(strip.height), filter, y, row.data());
    if (channels == 3) {
      const std::int16_t* const red = row.data();
      interleave({red, red + strip.plane_stride, red + 2 * strip.plane_stride}, width, to);
    } else {
      std::transform(row.data(), row.data() + width, to,
                     [](std::int16_t value) { return static_cast<std::uint8_t>(value); });
    }
  }
  return image;
}

void require_size(Size from, Size to) {
  if (from.width <= 0 || from.height <= 0 || to.width <= 0 || to.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Cannot resize {} to {}.", to_string(from), to_string(to)));
  }
}

}  // namespace

Image to_rgb_resized(const FrameView& frame, const Rect& part, Size size, bool antialias) {
  RgbRows rows(frame, part);
  require_size({part.width, part.height}, size);
  if (size == Size{part.width, part.height}) return to_rgb(frame, part);
  const Strip strip = shrink_across(rows, size.width, antialias);
  Image image = shrink_down(strip, size, rows.channels(), antialias);
  if (rows.channels() == 3) return image;
  return to_rgb(view(image), {0, 0, size.width, size.height});
}

Image resize_antialiased(const Image& image, Size size) {
  const Size from{image.width, image.height};
  require_size(from, size);
  if (size == from) return image;
  RgbRows rows(view(image), {0, 0, image.width, image.height});
  return shrink_down(shrink_across(rows, size.width, true), size, image.channels, true);
}

std::vector<float> resize_antialiased(const std::vector<float>& values, Size from, Size to) {
  require_size(from, to);
  if (values.size() != to_size(from.width) * to_size(from.height)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A {} map must hold that many values, but holds {}.", to_string(from),
                            values.size()));
  }
  if (from == to) return values;
  const Filter across = triangle_filter(from.width, to.width);
  const Filter down = triangle_filter(from.height, to.height);
  const std::size_t width = to_size(to.width);
  std::vector<double> strip(to_size(from.height) * width);
  for (std::size_t i = 0; i < strip.size(); ++i) {
    const std::size_t x = i % width;
    const std::size_t row = i / width * to_size(from.width);
    const std::size_t first = to_size(across.first[x]);
    const std::size_t taps = std::min(across.taps, to_size(from.width) - first);
    for (std::size_t t = 0; t < taps; ++t) {
      strip[i] +=
          across.weights[x * across.taps + t] * static_cast<double>(values[row + first + t]);
    }
  }
  std::vector<float> resized(to_size(to.height) * width);
  for (std::size_t i = 0; i < resized.size(); ++i) {
    const std::size_t y = i / width;
    const std::size_t first = to_size(down.first[y]);
    const std::size_t taps = std::min(down.taps, to_size(from.height) - first);
    double sum = 0;
    for (std::size_t t = 0; t < taps; ++t) {
      sum += down.weights[y * down.taps + t] * strip[(first + t) * width + i % width];
    }
    resized[i] = static_cast<float>(sum);
  }
  return resized;
}

}  // namespace uad

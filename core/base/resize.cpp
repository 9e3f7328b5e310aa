// SPDX-License-Identifier: LGPL-2.1-or-later
// Antialiased resize. The filter and its roundings are Pillow's, because models were calibrated on
// images resized that way; the arithmetic is arranged for 16-bit multipliers.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>
#include <opencv2/core/hal/intrin.hpp>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/rgb_rows.h"

namespace uad {
namespace {

constexpr int kWeightBits = 22;    // Pillow's fixed point: 32 bits, less 8 of the pixel and 2 spare
constexpr int kLowBits = 11;       // a weight is split in two so that each half fits 16 bits
constexpr std::size_t kBlock = 8;  // taps that are multiplied at once

std::size_t to_size(int value) { return static_cast<std::size_t>(value); }

/// The triangle filter along one axis: for every output, where its taps begin and their weights.
struct Filter {
  std::size_t taps = 0;         // of the widest output
  std::vector<int> first;       // [to]
  std::vector<double> weights;  // [to, taps], sum 1 each
};

Filter triangle_filter(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double support = std::max(scale, 1.0);
  Filter filter;
  filter.taps = to_size(static_cast<int>(std::ceil(support)) * 2 + 1);
  filter.weights.resize(to_size(to) * filter.taps);
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + support + 0.5), from);
    double* const weights = filter.weights.data() + to_size(i) * filter.taps;
    double sum = 0;
    for (int t = 0; t < end - first; ++t) {
      const double distance = std::abs((t + first - centre + 0.5) * (1.0 / support));
      weights[t] = std::max(1.0 - distance, 0.0);
      sum += weights[t];
    }
    for (int t = 0; t < end - first; ++t) weights[t] /= sum;
    filter.first.push_back(first);
  }
  return filter;
}

/// The filter in fixed point: weight = (high << kLowBits) + low.
struct FixedFilter {
  std::size_t taps = 0;  // padded with zeros to whole blocks
  std::vector<int> first;
  std::vector<std::int16_t> high, low;  // [to, taps]
};

FixedFilter fixed_filter(int from, int to, std::size_t block) {
  const Filter exact = triangle_filter(from, to);
  FixedFilter filter;
  filter.taps = (exact.taps + block - 1) / block * block;
  filter.first = exact.first;
  filter.high.resize(to_size(to) * filter.taps);
  filter.low.resize(filter.high.size());
  for (std::size_t i = 0; i < to_size(to); ++i) {
    for (std::size_t t = 0; t < exact.taps; ++t) {
      const auto weight =
          static_cast<int>(exact.weights[i * exact.taps + t] * (1 << kWeightBits) + 0.5);
      filter.high[i * filter.taps + t] = static_cast<std::int16_t>(weight >> kLowBits);
      filter.low[i * filter.taps + t] = static_cast<std::int16_t>(weight & ((1 << kLowBits) - 1));
    }
  }
  return filter;
}

cv::v_int32x4 round_to_pixel(const cv::v_int32x4& sums) {
  return (sums + cv::v_setall_s32(1 << (kWeightBits - 1))) >> kWeightBits;
}

/// Weighted sum of one plane's row around one output, still spread over four lanes.
cv::v_int32x4 weigh(const std::int16_t* samples, const std::int16_t* high, const std::int16_t* low,
                    std::size_t taps) {
  cv::v_int32x4 high_sum = cv::v_setzero_s32();
  cv::v_int32x4 low_sum = cv::v_setzero_s32();
  for (std::size_t t = 0; t < taps; t += kBlock) {
    const cv::v_int16x8 s = cv::v_load(samples + t);
    high_sum = cv::v_dotprod(s, cv::v_load(high + t), high_sum);
    low_sum = cv::v_dotprod(s, cv::v_load(low + t), low_sum);
  }
  return (high_sum << kLowBits) + low_sum;
}

/// One row of planes → one row of packed pixels of `channels` bytes.
void shrink_row(const std::array<std::int16_t*, 3>& planes, int channels, const FixedFilter& filter,
                std::uint8_t* to) {
  for (std::size_t x = 0; x < filter.first.size(); ++x) {
    const std::ptrdiff_t first = filter.first[x];
    const std::int16_t* const high = filter.high.data() + x * filter.taps;
    const std::int16_t* const low = filter.low.data() + x * filter.taps;
    const cv::v_int32x4 red = weigh(planes[0] + first, high, low, filter.taps);
    if (channels == 1) {
      *to++ = static_cast<std::uint8_t>((cv::v_reduce_sum(red) + (1 << (kWeightBits - 1))) >>
                                        kWeightBits);
      continue;
    }
    const cv::v_int32x4 green = weigh(planes[1] + first, high, low, filter.taps);
    const cv::v_int32x4 blue = weigh(planes[2] + first, high, low, filter.taps);
    cv::v_int32x4 a, b, c, d;
    cv::v_transpose4x4(red, green, blue, cv::v_setzero_s32(), a, b, c, d);
    std::array<int, 4> lanes{};
    cv::v_store(lanes.data(), round_to_pixel((a + b) + (c + d)));
    *to++ = static_cast<std::uint8_t>(lanes[0]);
    *to++ = static_cast<std::uint8_t>(lanes[1]);
    *to++ = static_cast<std::uint8_t>(lanes[2]);
  }
}

/// Packed bytes [rows, stride]; a row is padded to whole blocks.
struct Strip {
  std::size_t stride = 0;
  int height = 0;
  std::vector<std::uint8_t> bytes;
};

Strip shrink_across(RgbRows& rows, int width) {
  const FixedFilter filter = fixed_filter(rows.width(), width, kBlock);
  const std::size_t used = to_size(width) * to_size(rows.channels());
  Strip strip{(used + kBlock - 1) / kBlock * kBlock, rows.height(), {}};
  strip.bytes.resize(strip.stride * to_size(strip.height));
  // The last outputs read up to `taps` samples past the row; those meet a weight of 0.
  const std::size_t padded = to_size(rows.width()) + filter.taps;
  std::vector<std::int16_t> samples(3 * padded);
  const std::array<std::int16_t*, 3> planes{samples.data(), samples.data() + padded,
                                            samples.data() + 2 * padded};
  for (int y = 0; y < strip.height; ++y) {
    rows.read(y, planes);
    shrink_row(planes, rows.channels(), filter, strip.bytes.data() + to_size(y) * strip.stride);
  }
  return strip;
}

/// Eight neighbouring bytes of one output row.
void shrink_column_block(const Strip& strip, std::size_t x, int first, const std::int16_t* high,
                         const std::int16_t* low, std::size_t taps, std::uint8_t* to) {
  cv::v_int32x4 high_sum[2] = {cv::v_setzero_s32(), cv::v_setzero_s32()};
  cv::v_int32x4 low_sum[2] = {cv::v_setzero_s32(), cv::v_setzero_s32()};
  const auto load = [&](std::size_t tap) {
    const std::size_t row = std::min(to_size(first) + tap, to_size(strip.height) - 1);
    return cv::v_reinterpret_as_s16(cv::v_load_expand(strip.bytes.data() + row * strip.stride + x));
  };
  const auto both = [](const std::int16_t* pair) {
    const auto packed = static_cast<std::uint32_t>(static_cast<std::uint16_t>(pair[0])) |
                        static_cast<std::uint32_t>(static_cast<std::uint16_t>(pair[1])) << 16;
    return cv::v_reinterpret_as_s16(cv::v_setall_u32(packed));
  };
  for (std::size_t t = 0; t < taps; t += 2) {
    cv::v_int16x8 left;
    cv::v_int16x8 right;
    cv::v_zip(load(t), load(t + 1), left, right);
    high_sum[0] = cv::v_dotprod(left, both(high + t), high_sum[0]);
    high_sum[1] = cv::v_dotprod(right, both(high + t), high_sum[1]);
    low_sum[0] = cv::v_dotprod(left, both(low + t), low_sum[0]);
    low_sum[1] = cv::v_dotprod(right, both(low + t), low_sum[1]);
  }
  cv::v_pack_u_store(to, cv::v_pack(round_to_pixel((high_sum[0] << kLowBits) + low_sum[0]),
                                    round_to_pixel((high_sum[1] << kLowBits) + low_sum[1])));
}

Image shrink_down(const Strip& strip, Size size, int channels) {
  const FixedFilter filter = fixed_filter(strip.height, size.height, 2);
  const std::size_t used = to_size(size.width) * to_size(channels);
  Image image{size.width, size.height, channels, {}};
  image.pixels.resize(used * to_size(size.height));
  std::vector<std::uint8_t> row(strip.stride);
  for (std::size_t y = 0; y < to_size(size.height); ++y) {
    for (std::size_t x = 0; x < strip.stride; x += kBlock) {
      shrink_column_block(strip, x, filter.first[y], filter.high.data() + y * filter.taps,
                          filter.low.data() + y * filter.taps, filter.taps, row.data() + x);
    }
    std::copy_n(row.data(), used, image.pixels.data() + y * used);
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

Image to_rgb_resized(const FrameView& frame, const Rect& part, Size size) {
  RgbRows rows(frame, part);
  require_size({part.width, part.height}, size);
  if (size == Size{part.width, part.height}) return to_rgb(frame, part);
  const Strip strip = shrink_across(rows, size.width);
  Image image = shrink_down(strip, size, rows.channels());
  if (rows.channels() == 3) return image;
  return to_rgb(view(image), {0, 0, size.width, size.height});
}

Image resize_antialiased(const Image& image, Size size) {
  const Size from{image.width, image.height};
  require_size(from, size);
  if (size == from) return image;
  RgbRows rows(view(image), {0, 0, image.width, image.height});
  return shrink_down(shrink_across(rows, size.width), size, image.channels);
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

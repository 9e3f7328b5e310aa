// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/row_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <opencv2/core/hal/intrin.hpp>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define UAD_HAS_AVX2 1
#else
#define UAD_HAS_AVX2 0
#endif

namespace uad {
namespace {

constexpr int kWeightBits = 22;  // Pillow's fixed point: 32 bits, less 8 of the pixel and 2 spare
constexpr int kLowBits = 11;
constexpr int kHalf = 1 << (kWeightBits - 1);

std::size_t to_size(int value) { return static_cast<std::size_t>(value); }

/// What one output of a column needs: its rows and its weights, two taps in each number.
struct Column {
  Column(const std::uint8_t* rows, std::size_t stride, std::size_t height,
         const FixedFilter& filter, std::size_t index)
      : rows_(rows),
        stride_(stride),
        first_(to_size(filter.first[index])),
        last_(height - 1),
        high_(filter.high.data() + index * filter.taps),
        low_(filter.low.data() + index * filter.taps) {}

  [[nodiscard]] const std::uint8_t* row(std::size_t tap) const {
    return rows_ + std::min(first_ + tap, last_) * stride_;  // padding taps meet a weight of 0
  }
  [[nodiscard]] int high(std::size_t tap) const { return both(high_ + tap); }
  [[nodiscard]] int low(std::size_t tap) const { return both(low_ + tap); }

 private:
  static int both(const std::int16_t* pair) {
    int packed = 0;
    std::memcpy(&packed, pair, sizeof packed);
    return packed;
  }
  const std::uint8_t* rows_;
  std::size_t stride_, first_, last_;
  const std::int16_t* high_;
  const std::int16_t* low_;
};

// For any machine, by OpenCV's vectors.

cv::v_int32x4 round_to_pixel(const cv::v_int32x4& high, const cv::v_int32x4& low) {
  return ((high << kLowBits) + low + cv::v_setall_s32(kHalf)) >> kWeightBits;
}

int weigh(const std::int16_t* samples, const std::int16_t* high, const std::int16_t* low,
          std::size_t taps) {
  cv::v_int32x4 high_sum = cv::v_setzero_s32();
  cv::v_int32x4 low_sum = cv::v_setzero_s32();
  for (std::size_t t = 0; t < taps; t += 8) {
    const cv::v_int16x8 s = cv::v_load(samples + t);
    high_sum = cv::v_dotprod(s, cv::v_load(high + t), high_sum);
    low_sum = cv::v_dotprod(s, cv::v_load(low + t), low_sum);
  }
  return cv::v_reduce_sum((high_sum << kLowBits) + low_sum);
}

void filter_row_anywhere(const std::int16_t* samples, const FixedFilter& filter, std::uint8_t* to) {
  for (std::size_t x = 0; x < filter.first.size(); ++x) {
    const std::size_t at = x * filter.taps;
    const int sum = weigh(samples + filter.first[x], filter.high.data() + at,
                          filter.low.data() + at, filter.taps);
    to[x] = static_cast<std::uint8_t>((sum + kHalf) >> kWeightBits);
  }
}

void filter_column_anywhere(const Column& column, std::size_t taps, std::size_t stride,
                            std::int16_t* to) {
  const auto spread = [](int pair) { return cv::v_reinterpret_as_s16(cv::v_setall_s32(pair)); };
  for (std::size_t x = 0; x < stride; x += 8) {
    std::array<cv::v_int32x4, 2> high{cv::v_setzero_s32(), cv::v_setzero_s32()};
    std::array<cv::v_int32x4, 2> low = high;
    for (std::size_t t = 0; t < taps; t += kColumnBlock) {
      std::array<cv::v_int16x8, 2> pixels;
      cv::v_zip(cv::v_reinterpret_as_s16(cv::v_load_expand(column.row(t) + x)),
                cv::v_reinterpret_as_s16(cv::v_load_expand(column.row(t + 1) + x)), pixels[0],
                pixels[1]);
      for (std::size_t i = 0; i < 2; ++i) {
        high[i] = cv::v_dotprod(pixels[i], spread(column.high(t)), high[i]);
        low[i] = cv::v_dotprod(pixels[i], spread(column.low(t)), low[i]);
      }
    }
    cv::v_store(to + x,
                cv::v_pack(round_to_pixel(high[0], low[0]), round_to_pixel(high[1], low[1])));
  }
}

#if UAD_HAS_AVX2
// The same with twice the width, and four sums reduced together: 2.5 times faster.
#define UAD_AVX2 __attribute__((target("avx2")))

UAD_AVX2 inline __m256i load(const std::int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

UAD_AVX2 inline __m256i widen(const std::uint8_t* from) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

UAD_AVX2 inline __m256i join(__m256i high, __m256i low) {
  return _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
}

/// @tparam kOneBlock  whether taps is kRowBlock.
template <bool kOneBlock>
UAD_AVX2 inline __m256i weigh_avx2(const std::int16_t* samples, const std::int16_t* high,
                                   const std::int16_t* low, std::size_t taps) {
  __m256i high_sum = _mm256_madd_epi16(load(samples), load(high));
  __m256i low_sum = _mm256_madd_epi16(load(samples), load(low));
  for (std::size_t t = kRowBlock; !kOneBlock && t < taps; t += kRowBlock) {
    const __m256i s = load(samples + t);
    high_sum = _mm256_add_epi32(high_sum, _mm256_madd_epi16(s, load(high + t)));
    low_sum = _mm256_add_epi32(low_sum, _mm256_madd_epi16(s, load(low + t)));
  }
  return join(high_sum, low_sum);
}

template <bool kOneBlock>
UAD_AVX2 inline void filter_row_avx2(const std::int16_t* samples, const FixedFilter& filter,
                                     std::uint8_t* to) {
  const std::size_t taps = kOneBlock ? kRowBlock : filter.taps;
  const std::size_t outputs = filter.first.size();
  const int* first = filter.first.data();
  const std::int16_t* high = filter.high.data();
  const std::int16_t* low = filter.low.data();
  for (std::size_t x = 0; x < outputs; x += kRowOutputs, first += kRowOutputs) {
    const __m256i a = weigh_avx2<kOneBlock>(samples + first[0], high, low, taps);
    const __m256i b = weigh_avx2<kOneBlock>(samples + first[1], high + taps, low + taps, taps);
    high += 2 * taps;
    low += 2 * taps;
    const __m256i c = weigh_avx2<kOneBlock>(samples + first[2], high, low, taps);
    const __m256i d = weigh_avx2<kOneBlock>(samples + first[3], high + taps, low + taps, taps);
    high += 2 * taps;
    low += 2 * taps;
    const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    const __m128i total =
        _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    const __m128i pixel = _mm_srai_epi32(_mm_add_epi32(total, _mm_set1_epi32(kHalf)), kWeightBits);
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(_mm_packs_epi32(pixel, pixel), pixel));
    std::memcpy(to + x, &bytes, sizeof bytes);
  }
}

UAD_AVX2 void filter_row_avx2(const std::int16_t* samples, const FixedFilter& filter,
                              std::uint8_t* to) {
  if (filter.taps == kRowBlock) return filter_row_avx2<true>(samples, filter, to);
  filter_row_avx2<false>(samples, filter, to);
}

UAD_AVX2 void filter_column_avx2(const Column& column, std::size_t taps, std::size_t stride,
                                 std::int16_t* to) {
  const __m256i half = _mm256_set1_epi32(kHalf);
  for (std::size_t x = 0; x < stride; x += kColumnBytes) {
    __m256i high[2] = {};
    __m256i low[2] = {};
    for (std::size_t t = 0; t < taps; t += kColumnBlock) {
      const __m256i upper = widen(column.row(t) + x);
      const __m256i lower = widen(column.row(t + 1) + x);
      const __m256i pixels[2] = {_mm256_unpacklo_epi16(upper, lower),
                                 _mm256_unpackhi_epi16(upper, lower)};
      const __m256i by_high = _mm256_set1_epi32(column.high(t));
      const __m256i by_low = _mm256_set1_epi32(column.low(t));
      high[0] = _mm256_add_epi32(high[0], _mm256_madd_epi16(pixels[0], by_high));
      high[1] = _mm256_add_epi32(high[1], _mm256_madd_epi16(pixels[1], by_high));
      low[0] = _mm256_add_epi32(low[0], _mm256_madd_epi16(pixels[0], by_low));
      low[1] = _mm256_add_epi32(low[1], _mm256_madd_epi16(pixels[1], by_low));
    }
    __m256i pixel[2];
    for (std::size_t i = 0; i < 2; ++i) {
      pixel[i] = _mm256_srai_epi32(_mm256_add_epi32(join(high[i], low[i]), half), kWeightBits);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + x), _mm256_packs_epi32(pixel[0], pixel[1]));
  }
}
#endif

}  // namespace

Filter triangle_filter(int from, int to, bool antialias) {
  const double scale = static_cast<double>(from) / to;
  const double support = antialias ? std::max(scale, 1.0) : 1.0;
  const auto first = [&](int i) {
    return std::max(static_cast<int>((i + 0.5) * scale - support + 0.5), 0);
  };
  const auto end = [&](int i) {
    return std::min(static_cast<int>((i + 0.5) * scale + support + 0.5), from);
  };
  Filter filter;
  for (int i = 0; i < to; ++i) filter.taps = std::max(filter.taps, to_size(end(i) - first(i)));
  filter.weights.resize(to_size(to) * filter.taps);
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int count = end(i) - first(i);
    double* const weights = filter.weights.data() + to_size(i) * filter.taps;
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      const double distance = std::abs((t + first(i) - centre + 0.5) * (1.0 / support));
      weights[t] = std::max(1.0 - distance, 0.0);
      sum += weights[t];
    }
    for (int t = 0; t < count; ++t) weights[t] /= sum;
    filter.first.push_back(first(i));
  }
  return filter;
}

FixedFilter fixed_filter(int from, int to, std::size_t block, bool antialias) {
  const Filter exact = triangle_filter(from, to, antialias);
  FixedFilter filter;
  filter.taps = (exact.taps + block - 1) / block * block;
  filter.first = exact.first;
  filter.first.resize((to_size(to) + kRowOutputs - 1) / kRowOutputs * kRowOutputs);
  filter.high.resize(filter.first.size() * filter.taps);
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

void filter_row(const std::int16_t* samples, const FixedFilter& filter, std::uint8_t* to) {
#if UAD_HAS_AVX2
  if (__builtin_cpu_supports("avx2")) return filter_row_avx2(samples, filter, to);
#endif
  filter_row_anywhere(samples, filter, to);
}

void filter_column(const std::uint8_t* rows, std::size_t stride, std::size_t height,
                   const FixedFilter& filter, std::size_t index, std::int16_t* to) {
  const Column column(rows, stride, height, filter, index);
#if UAD_HAS_AVX2
  if (__builtin_cpu_supports("avx2")) return filter_column_avx2(column, filter.taps, stride, to);
#endif
  filter_column_anywhere(column, filter.taps, stride, to);
}

}  // namespace uad

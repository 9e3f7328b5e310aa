// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/lanes.h"

#include "core/base/simd.h"

namespace uad::models::padim {

namespace {

using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Words = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));
// Tensors are aligned to 64 bytes, buffers of the standard library are not.
using AnyFloats =
    float __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));
using AnyHalfs =
    std::int16_t __attribute__((vector_size(kLanes * sizeof(std::int16_t)), aligned(2), may_alias));

// The bits of a float16, moved to where a float32 has them, mean 2^-112 of its value. Subnormals
// would be slow and are not stored; the factor 2^112 is on the differences.
constexpr float kOfBits = 0x1p112F / kFactorScale;
constexpr std::int32_t kMovedBits = static_cast<std::int32_t>(0x8fffe000);

}  // namespace

// Four rows of W at a time share the differences that they load, and make four independent sums.
UAD_SIMD void squared_lengths(const std::uint16_t* factor, float* differences, std::int64_t size,
                              float* squared) {
  auto* const d = reinterpret_cast<AnyFloats*>(differences);
  for (std::int64_t j = 0; j < size; ++j) d[j] *= kOfBits;
  const auto* const w = reinterpret_cast<const AnyHalfs*>(factor);
  // Handed out by reference: a vector returned has another ABI in every copy of this function.
  const auto add_product =
      [](const AnyHalfs& halfs, const AnyFloats& x, Floats& sum) __attribute__((always_inline)) {
    sum += (Floats)((__builtin_convertvector(halfs, Words) << 13) & kMovedBits) * x;
  };
  Floats total{};
  std::int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    const AnyHalfs* const row0 = w + triangle(i);
    const AnyHalfs* const row1 = w + triangle(i + 1);
    const AnyHalfs* const row2 = w + triangle(i + 2);
    const AnyHalfs* const row3 = w + triangle(i + 3);
    Floats y0{};
    Floats y1{};
    Floats y2{};
    Floats y3{};
    for (std::int64_t j = 0; j <= i; ++j) {
      add_product(row0[j], d[j], y0);
      add_product(row1[j], d[j], y1);
      add_product(row2[j], d[j], y2);
      add_product(row3[j], d[j], y3);
    }
    add_product(row1[i + 1], d[i + 1], y1);
    add_product(row2[i + 1], d[i + 1], y2);
    add_product(row2[i + 2], d[i + 2], y2);
    add_product(row3[i + 1], d[i + 1], y3);
    add_product(row3[i + 2], d[i + 2], y3);
    add_product(row3[i + 3], d[i + 3], y3);
    total += y0 * y0 + y1 * y1 + y2 * y2 + y3 * y3;
  }
  for (; i < size; ++i) {
    Floats y{};
    for (std::int64_t j = 0; j <= i; ++j) add_product(w[triangle(i) + j], d[j], y);
    total += y * y;
  }
  *reinterpret_cast<AnyFloats*>(squared) = total;
}

UAD_SIMD void add_products(float* sums, const float* rows, std::int64_t count, std::int64_t size) {
  auto* const s = reinterpret_cast<AnyFloats*>(sums);
  const auto* const x = reinterpret_cast<const AnyFloats*>(rows);
  for (std::int64_t i = 0; i < size; ++i) {
    AnyFloats* const row = s + triangle(i);
    for (std::int64_t j = 0; j <= i; ++j) {
      Floats sum = row[j];
      for (std::int64_t k = 0; k < count; ++k) sum += x[k * size + i] * x[k * size + j];
      row[j] = sum;
    }
  }
}

}  // namespace uad::models::padim

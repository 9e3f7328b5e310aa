// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/product_scan.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/simd.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kBlock = 4 * kLanes;
using Lanes = float __attribute__((vector_size(4 * kLanes)));
using Words = std::uint32_t __attribute__((vector_size(4 * kLanes)));
using UnalignedLanes = float __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using UnalignedHalves =
    std::uint16_t __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));

float to_float(float value) { return value; }
// A bfloat16 is the upper half of a float32.
float to_float(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

// Keeps the smaller of each value and the one that the shuffle brings beside it.
#define UAD_FOLD(low, ...)                                              \
  do {                                                                  \
    const Lanes other = __builtin_shufflevector(low, low, __VA_ARGS__); \
    low = other < low ? other : low;                                    \
  } while (false)

// The smallest value of every whole block. Two copies, since vectors cannot be handed to a helper:
// their ABI differs between instruction sets.
UAD_SIMD void whole_blocks(const float* half_norms, const float* products, std::int64_t blocks,
                           float* minima) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    Lanes low = Lanes{} + std::numeric_limits<float>::infinity();
    for (std::int64_t i = block * kBlock; i < (block + 1) * kBlock; i += kLanes) {
      const Lanes value = *reinterpret_cast<const UnalignedLanes*>(half_norms + i) -
                          *reinterpret_cast<const UnalignedLanes*>(products + i);
      low = value < low ? value : low;
    }
    UAD_FOLD(low, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    UAD_FOLD(low, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    minima[block] = std::min(std::min(low[0], low[1]), std::min(low[2], low[3]));
  }
}

UAD_SIMD void whole_blocks(const float* half_norms, const std::uint16_t* products,
                           std::int64_t blocks, float* minima) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    Lanes low = Lanes{} + std::numeric_limits<float>::infinity();
    for (std::int64_t i = block * kBlock; i < (block + 1) * kBlock; i += kLanes) {
      const auto halves = *reinterpret_cast<const UnalignedHalves*>(products + i);
      const Words words = __builtin_convertvector(halves, Words) << 16;
      const Lanes value =
          *reinterpret_cast<const UnalignedLanes*>(half_norms + i) - reinterpret_cast<Lanes>(words);
      low = value < low ? value : low;
    }
    UAD_FOLD(low, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    UAD_FOLD(low, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    minima[block] = std::min(std::min(low[0], low[1]), std::min(low[2], low[3]));
  }
}

template <class Product>
void block_minima(const float* half_norms, const Product* products, std::int64_t count,
                  std::vector<float>& minima) {
  whole_blocks(half_norms, products, count / kBlock, minima.data());
  if (count % kBlock == 0) return;
  minima.back() = std::numeric_limits<float>::infinity();
  for (std::int64_t i = count / kBlock * kBlock; i < count; ++i) {
    minima.back() = std::min(minima.back(), half_norms[i] - to_float(products[i]));
  }
}

}  // namespace

ProductScan::ProductScan(std::int64_t count)
    : count_(count), minima_(static_cast<std::size_t>((count + kBlock - 1) / kBlock)) {}

void ProductScan::set_row(const float* half_norms, const void* products, bool bf16) {
  half_norms_ = half_norms;
  products_ = products;
  bf16_ = bf16;
  if (bf16) {
    block_minima(half_norms, static_cast<const std::uint16_t*>(products), count_, minima_);
  } else {
    block_minima(half_norms, static_cast<const float*>(products), count_, minima_);
  }
}

float ProductScan::value(std::int64_t index) const {
  return half_norms_[index] - (bf16_ ? to_float(static_cast<const std::uint16_t*>(products_)[index])
                                     : static_cast<const float*>(products_)[index]);
}

std::int64_t ProductScan::smallest() const {
  const auto block = std::min_element(minima_.begin(), minima_.end()) - minima_.begin();
  std::int64_t best = block * kBlock;
  for (std::int64_t i = best; i < std::min((block + 1) * kBlock, count_); ++i) {
    if (value(i) < value(best)) best = i;
  }
  return best;
}

void ProductScan::find_up_to(float limit, std::int64_t most,
                             std::vector<std::int64_t>& found) const {
  found.clear();
  for (std::int64_t block = 0; block < std::ssize(minima_); ++block) {
    if (minima_[block] > limit) continue;
    for (std::int64_t i = block * kBlock; i < std::min((block + 1) * kBlock, count_); ++i) {
      if (value(i) > limit) continue;
      found.push_back(i);
      if (std::ssize(found) > most) return;
    }
  }
}

}  // namespace uad::models::patchcore

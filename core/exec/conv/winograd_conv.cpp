// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/conv/winograd_conv.h"

#include <algorithm>
#include <array>

#include <ATen/Parallel.h>

#include "core/exec/conv/avx2.h"
#include "core/exec/conv/pieces.h"
#include "core/exec/parallel.h"

namespace uad::conv {

namespace {

constexpr int kPlaces = 16;            // of a transformed patch of 4x4 inputs
constexpr std::int64_t kPatches = 48;  // of a piece: a place of all of them stays in the cache

/// (G w Gᵀ)[row][column] of a 3x3 kernel.
float transformed_weight(const float* w, int row, int column) {
  static constexpr std::array<std::array<float, 3>, 4> kG{
      {{1, 0, 0}, {0.5F, 0.5F, 0.5F}, {0.5F, -0.5F, 0.5F}, {0, 0, 1}}};
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      sum += static_cast<double>(kG[row][i] * w[i * 3 + j]) * kG[column][j];
  }
  return static_cast<float>(sum);
}

/// Memory of one thread, kept from call to call.
struct Scratch {
  std::vector<float> inputs;   // [16, patches, C_in]
  std::vector<float> outputs;  // [16, patches, C_out]
};

/// Four outputs each, two by two.
struct Patches {
  explicit Patches(const Geometry& geometry)
      : across((geometry.out_width() + 1) / 2),
        of_image(across * ((geometry.out_height() + 1) / 2)),
        count(of_image * geometry.batch) {}
  std::int64_t across;
  std::int64_t of_image;
  std::int64_t count;
};

#if defined(__x86_64__)

// Bᵀ d B of one patch. @param to  the patch's row of the first place; places are `stride` apart.
UAD_AVX2 void transform_input(const std::array<const float*, kPlaces>& from, std::int64_t channels,
                              float* to, std::int64_t stride) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    __m256 half[4][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m256 d0 = _mm256_loadu_ps(from[j] + c);
      const __m256 d1 = _mm256_loadu_ps(from[4 + j] + c);
      const __m256 d2 = _mm256_loadu_ps(from[8 + j] + c);
      const __m256 d3 = _mm256_loadu_ps(from[12 + j] + c);
      half[0][j] = _mm256_sub_ps(d0, d2);
      half[1][j] = _mm256_add_ps(d1, d2);
      half[2][j] = _mm256_sub_ps(d2, d1);
      half[3][j] = _mm256_sub_ps(d1, d3);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      float* row = to + i * 4 * stride + c;
      _mm256_storeu_ps(row, _mm256_sub_ps(half[i][0], half[i][2]));
      _mm256_storeu_ps(row + stride, _mm256_add_ps(half[i][1], half[i][2]));
      _mm256_storeu_ps(row + 2 * stride, _mm256_sub_ps(half[i][2], half[i][1]));
      _mm256_storeu_ps(row + 3 * stride, _mm256_sub_ps(half[i][1], half[i][3]));
    }
  }
}

// Aᵀ m A of one patch. @param to  its four outputs; null = beyond the edge.
UAD_AVX2 void transform_output(const float* from, std::int64_t stride, std::int64_t channels,
                               const std::array<float*, 4>& to, const Finish& finish) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    __m256 half[2][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m256 m0 = _mm256_loadu_ps(from + j * stride + c);
      const __m256 m1 = _mm256_loadu_ps(from + (4 + j) * stride + c);
      const __m256 m2 = _mm256_loadu_ps(from + (8 + j) * stride + c);
      const __m256 m3 = _mm256_loadu_ps(from + (12 + j) * stride + c);
      half[0][j] = _mm256_add_ps(_mm256_add_ps(m0, m1), m2);
      half[1][j] = _mm256_sub_ps(_mm256_sub_ps(m1, m2), m3);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m256 left = _mm256_add_ps(_mm256_add_ps(half[i][0], half[i][1]), half[i][2]);
      const __m256 right = _mm256_sub_ps(_mm256_sub_ps(half[i][1], half[i][2]), half[i][3]);
      float* first = to[i * 2];
      float* second = to[i * 2 + 1];
      if (first) _mm256_storeu_ps(first + c, finished(left, finish, finish.bias + c, first + c));
      if (second)
        _mm256_storeu_ps(second + c, finished(right, finish, finish.bias + c, second + c));
    }
  }
}

#else

void transform_input(const std::array<const float*, kPlaces>&, std::int64_t, float*, std::int64_t) {
}
void transform_output(const float*, std::int64_t, std::int64_t, const std::array<float*, 4>&,
                      const Finish&) {}

#endif

/// One call of run().
class Run {
 public:
  Run(const Geometry& geometry, const float* x, float* y, const Finish& finish,
      const PackedColumns& weights, const float* zeros)
      : geometry_(geometry),
        x_(x),
        y_(y),
        finish_(finish),
        weights_(weights),
        zeros_(zeros),
        patches_(geometry) {}

  [[nodiscard]] std::int64_t patches() const { return patches_.count; }

  void piece(Span span) const {
    thread_local Scratch scratch;
    const auto rows = static_cast<std::size_t>(kPlaces * span.size());
    if (scratch.inputs.size() < rows * geometry_.channels) {
      scratch.inputs.resize(rows * geometry_.channels);
    }
    if (scratch.outputs.size() < rows * geometry_.out_channels) {
      scratch.outputs.resize(rows * geometry_.out_channels);
    }
    for (std::int64_t i = 0; i < span.size(); ++i) {
      transform_input(inputs_of(span.begin + i), geometry_.channels,
                      scratch.inputs.data() + i * geometry_.channels,
                      span.size() * geometry_.channels);
    }
    multiply(span.size(), scratch);
    for (std::int64_t i = 0; i < span.size(); ++i) {
      transform_output(scratch.outputs.data() + i * geometry_.out_channels,
                       span.size() * geometry_.out_channels, geometry_.out_channels,
                       outputs_of(span.begin + i), finish_);
    }
  }

 private:
  void multiply(std::int64_t count, Scratch& scratch) const {
    const std::int64_t tiles = tile_count(count);
    const std::int64_t groups = geometry_.out_channels / kColumns;
    for (std::int64_t place = 0; place < kPlaces; ++place) {
      const float* inputs = scratch.inputs.data() + place * count * geometry_.channels;
      float* outputs = scratch.outputs.data() + place * count * geometry_.out_channels;
      for (std::int64_t group = 0; group < groups; ++group) {
        for (std::int64_t t = 0; t < tiles; ++t) {
          const Span own = part(count, tiles, t);
          std::array<const float*, kRows> rows{};
          for (int r = 0; r < own.size(); ++r) {
            rows[static_cast<std::size_t>(r)] = inputs + (own.begin + r) * geometry_.channels;
          }
          compute({.rows = rows.data(),
                   .depth = static_cast<int>(geometry_.channels),
                   .weights = weights_.group(place * groups + group),
                   .out = outputs + own.begin * geometry_.out_channels + group * kColumns,
                   .out_stride = geometry_.out_channels,
                   .row_count = static_cast<int>(own.size())});
        }
      }
    }
  }

  [[nodiscard]] std::array<const float*, kPlaces> inputs_of(std::int64_t patch) const {
    std::array<const float*, kPlaces> from{};
    const std::int64_t image = patch / patches_.of_image;
    const std::int64_t place = patch % patches_.of_image;
    const std::int64_t top = place / patches_.across * 2 - geometry_.padding;
    const std::int64_t left = place % patches_.across * 2 - geometry_.padding;
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        const std::int64_t row = top + i;
        const std::int64_t column = left + j;
        const bool inside =
            row >= 0 && row < geometry_.height && column >= 0 && column < geometry_.width;
        from[static_cast<std::size_t>(i * 4 + j)] =
            inside ? x_ + ((image * geometry_.height + row) * geometry_.width + column) *
                              geometry_.channels
                   : zeros_;
      }
    }
    return from;
  }

  [[nodiscard]] std::array<float*, 4> outputs_of(std::int64_t patch) const {
    std::array<float*, 4> to{};
    const std::int64_t image = patch / patches_.of_image;
    const std::int64_t place = patch % patches_.of_image;
    for (int i = 0; i < 4; ++i) {
      const std::int64_t row = place / patches_.across * 2 + i / 2;
      const std::int64_t column = place % patches_.across * 2 + i % 2;
      if (row >= geometry_.out_height() || column >= geometry_.out_width()) continue;
      to[static_cast<std::size_t>(i)] =
          y_ + ((image * geometry_.out_height() + row) * geometry_.out_width() + column) *
                   geometry_.out_channels;
    }
    return to;
  }

  const Geometry& geometry_;
  const float* x_;
  float* y_;
  const Finish& finish_;
  const PackedColumns& weights_;
  const float* zeros_;
  Patches patches_;
};

}  // namespace

WinogradConv::WinogradConv(const float* weight, std::int64_t out_channels, std::int64_t channels)
    : weights_(kPlaces * out_channels, channels,
               [&](std::int64_t column, std::int64_t i) {
                 const auto place = static_cast<int>(column / out_channels);
                 return transformed_weight(weight + ((column % out_channels) * channels + i) * 9,
                                           place / 4, place % 4);
               }),
      zeros_(static_cast<std::size_t>(channels)) {}

void WinogradConv::run(const Geometry& geometry, const float* x, float* y,
                       const Finish& finish) const {
  const Run run(geometry, x, y, finish, weights_, zeros_.data());
  const Pieces pieces(run.patches(), kPatches, at::get_num_threads());
  parallel_for(0, pieces.count(), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) run.piece(pieces.at(i));
  });
}

}  // namespace uad::conv

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/rgb_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/multiversion.h"
#include "core/base/pixels/pixel_layout.h"

namespace uad {
namespace {

template <int kStep>
inline void unpack(const std::uint8_t* __restrict from, int width,
                   const std::array<std::int16_t*, 3>& to) {
  std::int16_t* const __restrict first = to[0];
  std::int16_t* const __restrict second = to[1];
  std::int16_t* const __restrict third = to[2];
  for (int x = 0; x < width; ++x) {
    first[x] = from[kStep * x];
    second[x] = from[kStep * x + 1];
    third[x] = from[kStep * x + 2];
  }
}

UAD_MULTIVERSION
void unpack3(const std::uint8_t* from, int width, const std::array<std::int16_t*, 3>& to) {
  unpack<3>(from, width, to);
}

UAD_MULTIVERSION
void unpack4(const std::uint8_t* from, int width, const std::array<std::int16_t*, 3>& to) {
  unpack<4>(from, width, to);
}

/// A byte around 128 becomes a signed 16-bit number that spans the whole range, so that the high
/// half of a product is a division by 256.
std::int16_t spread(int sample) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>((sample ^ 0x80) * 257));
}

std::int16_t high_half(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>((static_cast<std::int32_t>(a) * b) >> 16);
}

std::int16_t to_byte(std::int16_t centred) {
  return static_cast<std::int16_t>(
      std::clamp<std::int16_t>(centred, std::int16_t{-128}, std::int16_t{127}) + 128);
}

UAD_MULTIVERSION
void yuv_to_rgb(const std::uint8_t* __restrict luma, const std::int16_t* __restrict u,
                const std::int16_t* __restrict v, int width, const YuvFactors& f,
                const std::array<std::int16_t*, 3>& to) {
  std::int16_t* const __restrict red = to[0];
  std::int16_t* const __restrict green = to[1];
  std::int16_t* const __restrict blue = to[2];
  const YuvFactors by = f;
  for (int x = 0; x < width; ++x) {
    const std::int16_t grey = high_half(spread(luma[x]), by.luma);
    red[x] = to_byte(static_cast<std::int16_t>(grey + high_half(v[x], by.red_v)));
    green[x] = to_byte(static_cast<std::int16_t>(grey + high_half(u[x], by.green_u) +
                                                 high_half(v[x], by.green_v)));
    blue[x] = to_byte(static_cast<std::int16_t>(grey + high_half(u[x], by.blue_u)));
  }
}

/// Every `step`th byte.
UAD_MULTIVERSION
void widen(const std::uint8_t* __restrict from, int step, int count, std::int16_t* __restrict to) {
  if (step == 1) {
    for (int i = 0; i < count; ++i) to[i] = from[i];
  } else {
    for (int i = 0; i < count; ++i) to[i] = from[2 * i];
  }
}

/// Two pixels a sample: the even one mixes with the sample before, the odd one with the next.
/// @param even, odd  share of the sample itself, in quarters.
UAD_MULTIVERSION
void stretch(const std::int16_t* __restrict samples, int count, int even, int odd,
             std::int16_t* __restrict to) {
  for (int i = 0; i < count; ++i) {
    to[2 * i] =
        static_cast<std::int16_t>((even * samples[i] + (4 - even) * samples[i - 1] + 2) >> 2);
    to[2 * i + 1] =
        static_cast<std::int16_t>((odd * samples[i] + (4 - odd) * samples[i + 1] + 2) >> 2);
  }
}

/// Three parts of the nearer row, one of the farther, then spread().
UAD_MULTIVERSION
void blend_rows(const std::int16_t* __restrict near, const std::int16_t* __restrict far, int count,
                std::int16_t* __restrict to) {
  for (int i = 0; i < count; ++i) {
    to[i] = spread(static_cast<std::int16_t>(3 * near[i] + far[i] + 2) >> 2);
  }
}

UAD_MULTIVERSION
void spread_row(const std::int16_t* __restrict row, int count, std::int16_t* __restrict to) {
  for (int i = 0; i < count; ++i) to[i] = spread(row[i]);
}

}  // namespace

YuvFactors yuv_factors(const Colorimetry& colorimetry) {
  const auto [kr, kb] = luma_shares(colorimetry.matrix);
  const double kg = 1 - kr - kb;
  const bool full = colorimetry.range == YuvRange::kFull;
  const double luma = full ? 1 : 255.0 / 219;
  const double chroma = full ? 1 : 255.0 / 224;
  const auto fixed = [](double value) {
    return static_cast<std::int16_t>(std::nearbyint(256 * value));
  };
  return {fixed(luma), fixed(2 * (1 - kr) * chroma), fixed(2 * (1 - kb) * chroma),
          fixed(-2 * (1 - kb) * kb / kg * chroma), fixed(-2 * (1 - kr) * kr / kg * chroma)};
}

RgbRows::RgbRows(const FrameView& frame, const Rect& part)
    : frame_(frame), part_(part), factors_(yuv_factors(frame.colorimetry)) {
  if (part.empty() || part.x < 0 || part.y < 0 || part.width > frame.width - part.x ||
      part.height > frame.height - part.y) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The part {} does not lie inside the {} frame.", to_string(part),
                            to_string(Size{frame.width, frame.height})));
  }
  require_planes(frame);
  if (is_yuv(frame.format)) {
    const int samples = (part.x + part.width - 1) / 2 - part.x / 2 + 1;
    const auto stretched = 2 * static_cast<std::size_t>(samples);
    for (ChromaRow& row : chroma_) row.u.resize(stretched), row.v.resize(stretched);
    u_.resize(stretched);
    v_.resize(stretched);
  }
}

const std::uint8_t* RgbRows::row_at(std::size_t plane, int y) const {
  return frame_.planes[plane].data + frame_.planes[plane].stride * y;
}

void RgbRows::read(int y, const std::array<std::int16_t*, 3>& planes) {
  if (is_yuv(frame_.format)) return read_yuv(y, planes);
  const std::uint8_t* const row = row_at(0, part_.y + y);
  if (frame_.format == PixelFormat::kGray8) {
    std::copy_n(row + part_.x, part_.width, planes[0]);
    return;
  }
  const PackedLayout layout = packed_layout(frame_.format);
  const std::uint8_t* const pixels =
      row + static_cast<std::ptrdiff_t>(layout.step) * part_.x + layout.lowest();
  std::array<std::int16_t*, 3> in_memory_order = planes;
  if (layout.red > layout.blue) std::swap(in_memory_order[0], in_memory_order[2]);
  (layout.step == 3 ? unpack3 : unpack4)(pixels, part_.width, in_memory_order);
}

void RgbRows::read_yuv(int y, const std::array<std::int16_t*, 3>& planes) {
  const int frame_y = part_.y + y;
  const int row = frame_y / 2;
  const int count = static_cast<int>(u_.size());
  if (frame_.format == PixelFormat::kNv12) {
    const int last = (frame_.height - 1) / 2;
    const int neighbour = std::clamp(frame_y % 2 == 0 ? row - 1 : row + 1, 0, last);
    const ChromaRow& near = chroma_row(row);
    const ChromaRow& far = chroma_row(neighbour);
    blend_rows(near.u.data(), far.u.data(), count, u_.data());
    blend_rows(near.v.data(), far.v.data(), count, v_.data());
  } else if (row != spread_row_) {
    const ChromaRow& near = chroma_row(row);
    spread_row(near.u.data(), count, u_.data());
    spread_row(near.v.data(), count, v_.data());
    spread_row_ = row;
  }
  const int skip = part_.x % 2;
  yuv_to_rgb(row_at(0, frame_y) + part_.x, u_.data() + skip, v_.data() + skip, part_.width,
             factors_, planes);
}

const RgbRows::ChromaRow& RgbRows::chroma_row(int row) {
  ChromaRow& slot = chroma_[static_cast<std::size_t>(row % 2)];
  if (slot.row == row) return slot;
  const bool interleaved = frame_.format == PixelFormat::kNv12;
  fill_chroma(row_at(1, row), interleaved ? 2 : 1, slot.u);
  fill_chroma(interleaved ? row_at(1, row) + 1 : row_at(2, row), interleaved ? 2 : 1, slot.v);
  slot.row = row;
  return slot;
}

void RgbRows::fill_chroma(const std::uint8_t* samples, int step, std::vector<std::int16_t>& to) {
  const int first = part_.x / 2;
  const int count = static_cast<int>(to.size()) / 2;
  const int last = (frame_.width - 1) / 2;
  const auto sample = [&](int x) { return samples[std::ptrdiff_t{step} * std::clamp(x, 0, last)]; };
  gathered_.resize(static_cast<std::size_t>(count) + 2);
  gathered_.front() = sample(first - 1);
  widen(samples + std::ptrdiff_t{step} * first, step, count, gathered_.data() + 1);
  gathered_.back() = sample(first + count);
  // I420 takes the covering sample; NV12 interpolates, half-way where the odd pixel lies between.
  const bool left = frame_.colorimetry.chroma_site == ChromaSite::kLeft;
  const int even = step == 1 || left ? 4 : 3;
  const int odd = step == 1 ? 4 : left ? 2 : 3;
  stretch(gathered_.data() + 1, count, even, odd, to.data());
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/rgb_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/simd.h"

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

UAD_SIMD
void unpack3(const std::uint8_t* from, int width, const std::array<std::int16_t*, 3>& to) {
  unpack<3>(from, width, to);
}

UAD_SIMD
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

UAD_SIMD
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

/// `count` bytes that lie `step` apart.
template <int kStep, class Sample>
inline void gather(const std::uint8_t* __restrict from, int count, Sample* __restrict to) {
  for (int i = 0; i < count; ++i) to[i] = from[kStep * i];
}

UAD_SIMD
void gather_luma(const std::uint8_t* from, int count, std::uint8_t* to) {
  gather<2>(from, count, to);
}

UAD_SIMD
void gather_chroma(const std::uint8_t* from, int step, int count, std::int16_t* to) {
  step == 2 ? gather<2>(from, count, to) : gather<4>(from, count, to);
}

/// Two pixels a sample, spread().
UAD_SIMD
void repeat_spread(const std::uint8_t* __restrict from, int count, std::int16_t* __restrict to) {
  for (int i = 0; i < count; ++i) to[2 * i] = to[2 * i + 1] = spread(from[i]);
}

/// 0…white → 0…255.
UAD_SIMD
void read_grey16(const std::uint8_t* __restrict from, int width, int white,
                 std::int16_t* __restrict to) {
  const float scale = 255.0F / static_cast<float>(white);
  for (int x = 0; x < width; ++x) {
    const int value = std::min(from[2 * x] | from[2 * x + 1] << 8, white);
    to[x] = static_cast<std::int16_t>(static_cast<float>(value) * scale + 0.5F);
  }
}

/// Two pixels a sample: the even one mixes with the sample before, the odd one with the next.
/// Everything in 16 bits, which vectors hold twice as many of.
/// @param even, odd  share of the sample itself, in quarters.
UAD_SIMD
void stretch(const std::int16_t* __restrict samples, int count, std::uint16_t even,
             std::uint16_t odd, std::int16_t* __restrict to) {
  const auto mix = [](std::int16_t own, std::uint16_t share, std::int16_t other) {
    const auto mine = static_cast<std::uint16_t>(own * share);
    const auto theirs = static_cast<std::uint16_t>(other * static_cast<std::uint16_t>(4 - share));
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(mine + theirs + 2) >> 2);
  };
  for (int i = 0; i < count; ++i) {
    to[2 * i] = mix(samples[i], even, samples[i - 1]);
    to[2 * i + 1] = mix(samples[i], odd, samples[i + 1]);
  }
}

/// Three parts of the nearer row, one of the farther, then spread().
UAD_SIMD
void blend_rows(const std::int16_t* __restrict near, const std::int16_t* __restrict far, int count,
                std::int16_t* __restrict to) {
  for (int i = 0; i < count; ++i) {
    to[i] = spread(static_cast<std::int16_t>(3 * near[i] + far[i] + 2) >> 2);
  }
}

UAD_SIMD
void interleave3(const std::int16_t* __restrict red, const std::int16_t* __restrict green,
                 const std::int16_t* __restrict blue, std::size_t width,
                 std::uint8_t* __restrict to) {
  for (std::size_t x = 0; x < width; ++x) {
    to[3 * x] = static_cast<std::uint8_t>(red[x]);
    to[3 * x + 1] = static_cast<std::uint8_t>(green[x]);
    to[3 * x + 2] = static_cast<std::uint8_t>(blue[x]);
  }
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
    : frame_(frame),
      part_(part),
      layout_(pixel_layout(frame.format)),
      factors_(yuv_factors(frame.colorimetry)) {
  if (part.empty() || part.x < 0 || part.y < 0 || part.width > frame.width - part.x ||
      part.height > frame.height - part.y) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The part {} does not lie inside the {} frame.", to_string(part),
                            to_string(Size{frame.width, frame.height})));
  }
  require_whole(frame);
  if (!layout_.yuv) return;
  const int samples = (part.x + part.width - 1) / 2 - part.x / 2 + 1;
  const auto stretched = 2 * static_cast<std::size_t>(samples);
  u_.resize(stretched);
  v_.resize(stretched);
  luma_.resize(static_cast<std::size_t>(part.width));
  if (!layout_.smooth_chroma) return;
  gathered_.resize(static_cast<std::size_t>(samples) + 2);
  for (ChromaRow& row : chroma_) row.u.resize(stretched), row.v.resize(stretched);
}

const std::uint8_t* RgbRows::at(std::size_t component, int row, int column) const {
  const Component& c = layout_.components[component];
  const auto& plane = frame_.planes[c.plane];
  return plane.data + plane.stride * row + c.offset + std::ptrdiff_t{c.step} * column;
}

void RgbRows::read(int y, const std::array<std::int16_t*, 3>& planes) {
  const int row = part_.y + y;
  if (layout_.yuv) {
    read_yuv(row, planes);
  } else if (frame_.format == PixelFormat::kGray16) {
    read_grey16(at(0, row, part_.x), part_.width, frame_.white_level, planes[0]);
  } else if (layout_.count == 1) {
    std::copy_n(at(0, row, part_.x), part_.width, planes[0]);
  } else {
    read_packed(row, planes);
  }
}

void RgbRows::read_packed(int y, const std::array<std::int16_t*, 3>& planes) const {
  std::array<std::int16_t*, 3> in_memory_order = planes;
  const bool red_first = layout_.components[0].offset < layout_.components[2].offset;
  if (!red_first) std::swap(in_memory_order[0], in_memory_order[2]);
  const auto unpack_row = layout_.components[0].step == 3 ? unpack3 : unpack4;
  unpack_row(at(red_first ? 0 : 2, y, part_.x), part_.width, in_memory_order);
}

void RgbRows::read_yuv(int y, const std::array<std::int16_t*, 3>& planes) {
  if (layout_.smooth_chroma) {
    blend_chroma(y);
  } else {
    repeat_chroma(y / layout_.chroma_rows);
  }
  const std::uint8_t* luma = at(0, y, part_.x);
  if (layout_.components[0].step == 2) {
    gather_luma(luma, part_.width, luma_.data());
    luma = luma_.data();
  }
  const int skip = part_.x % 2;
  yuv_to_rgb(luma, u_.data() + skip, v_.data() + skip, part_.width, factors_, planes);
}

void RgbRows::repeat_chroma(int row) {
  if (row == repeated_row_) return;
  const int count = static_cast<int>(u_.size()) / 2;
  repeat_spread(at(1, row, part_.x / 2), count, u_.data());
  repeat_spread(at(2, row, part_.x / 2), count, v_.data());
  repeated_row_ = row;
}

void RgbRows::blend_chroma(int frame_y) {
  const int row = frame_y / layout_.chroma_rows;
  const int beside = frame_y % 2 == 0 ? row - 1 : row + 1;
  const int last = (frame_.height - 1) / 2;
  const ChromaRow& near = smooth_row(row);
  const ChromaRow& far = layout_.chroma_rows == 1 ? near : smooth_row(std::clamp(beside, 0, last));
  const int count = static_cast<int>(u_.size());
  blend_rows(near.u.data(), far.u.data(), count, u_.data());
  blend_rows(near.v.data(), far.v.data(), count, v_.data());
}

const RgbRows::ChromaRow& RgbRows::smooth_row(int row) {
  ChromaRow& slot = chroma_[static_cast<std::size_t>(row % 2)];
  if (slot.row == row) return slot;
  smooth(1, row, slot.u);
  smooth(2, row, slot.v);
  slot.row = row;
  return slot;
}

void RgbRows::smooth(std::size_t component, int row, std::vector<std::int16_t>& to) {
  const int first = part_.x / 2;
  const int count = static_cast<int>(to.size()) / 2;
  const int last = (frame_.width - 1) / 2;
  const auto sample = [&](int x) { return *at(component, row, std::clamp(x, 0, last)); };
  gathered_.front() = sample(first - 1);
  gather_chroma(at(component, row, first), layout_.components[component].step, count,
                gathered_.data() + 1);
  gathered_.back() = sample(first + count);
  // The odd pixel lies between two samples; the even one too, unless it shares a sample's place.
  const bool left = frame_.colorimetry.chroma_site == ChromaSite::kLeft;
  stretch(gathered_.data() + 1, count, left ? 4 : 3, left ? 2 : 3, to.data());
}

void interleave(const std::array<const std::int16_t*, 3>& planes, std::size_t width,
                std::uint8_t* to) {
  interleave3(planes[0], planes[1], planes[2], width, to);
}

}  // namespace uad

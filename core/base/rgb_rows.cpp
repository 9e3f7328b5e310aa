// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/rgb_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixel_layout.h"

namespace uad {
namespace {

template <int kStep>
void unpack(const std::uint8_t* from, int width, const PackedLayout& at,
            const std::array<std::int16_t*, 3>& to) {
  std::int16_t* const __restrict red = to[0];
  std::int16_t* const __restrict green = to[1];
  std::int16_t* const __restrict blue = to[2];
  for (int x = 0; x < width; ++x) {
    red[x] = from[kStep * x + at.red];
    green[x] = from[kStep * x + at.green];
    blue[x] = from[kStep * x + at.blue];
  }
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

/// Three parts of the nearer row, one of the farther, then spread().
void blend_rows(const std::vector<std::int16_t>& near, const std::vector<std::int16_t>& far,
                std::vector<std::int16_t>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = spread((3 * near[i] + far[i] + 2) >> 2);
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
    const auto stretched = static_cast<std::size_t>(part.width + 2);
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
  const auto unpack_row = layout.step == 3 ? unpack<3> : unpack<4>;
  unpack_row(row + static_cast<std::ptrdiff_t>(layout.step) * part_.x, part_.width, layout, planes);
}

void RgbRows::read_yuv(int y, const std::array<std::int16_t*, 3>& planes) {
  const int frame_y = part_.y + y;
  const ChromaRow& near = chroma_row(frame_y / 2);
  const int last = (frame_.height - 1) / 2;
  const int neighbour = std::clamp(frame_y / 2 + (frame_y % 2 == 0 ? -1 : 1), 0, last);
  const ChromaRow& far = frame_.format == PixelFormat::kNv12 ? chroma_row(neighbour) : near;
  blend_rows(near.u, far.u, u_);
  blend_rows(near.v, far.v, v_);
  const int skip = part_.x % 2;
  yuv_to_rgb(row_at(0, frame_y) + part_.x, u_.data() + skip, v_.data() + skip, part_.width,
             factors_, planes);
}

const RgbRows::ChromaRow& RgbRows::chroma_row(int row) {
  ChromaRow& slot = chroma_[static_cast<std::size_t>(row % 2)];
  if (slot.row == row) return slot;
  const bool interleaved = frame_.format == PixelFormat::kNv12;
  gather(row, 1, 0, interleaved ? 2 : 1);
  stretch(slot.u);
  gather(row, interleaved ? 1 : 2, interleaved ? 1 : 0, interleaved ? 2 : 1);
  stretch(slot.v);
  slot.row = row;
  return slot;
}

void RgbRows::gather(int row, std::size_t plane, int offset, int step) {
  const std::uint8_t* const samples = row_at(plane, row) + offset;
  const int first = part_.x / 2;
  const int count = (part_.x + part_.width - 1) / 2 - first + 1;
  const int last = (frame_.width - 1) / 2;
  gathered_.resize(static_cast<std::size_t>(count) + 2);
  gathered_.front() = samples[std::ptrdiff_t{step} * std::max(first - 1, 0)];
  for (int i = 0; i < count; ++i) {
    gathered_[static_cast<std::size_t>(i) + 1] = samples[std::ptrdiff_t{step} * (first + i)];
  }
  gathered_.back() = samples[std::ptrdiff_t{step} * std::min(first + count, last)];
}

void RgbRows::stretch(std::vector<std::int16_t>& to) const {
  const std::size_t count = gathered_.size() - 2;
  const std::int16_t* const __restrict c = gathered_.data() + 1;
  std::int16_t* const __restrict out = to.data();
  const auto fill = [&](auto even, auto odd) {
    for (std::size_t i = 0; i < count; ++i) {
      out[2 * i] = static_cast<std::int16_t>(even(c[i], c[static_cast<std::ptrdiff_t>(i) - 1]));
      out[2 * i + 1] = static_cast<std::int16_t>(odd(c[i], c[i + 1]));
    }
  };
  const auto same = [](int here, int) { return here; };
  const auto quarter = [](int here, int there) { return (3 * here + there + 2) >> 2; };
  const auto half = [](int here, int there) { return (here + there + 1) >> 1; };
  if (frame_.format == PixelFormat::kI420) {
    fill(same, same);
  } else if (frame_.colorimetry.chroma_site == ChromaSite::kLeft) {
    fill(same, half);
  } else {
    fill(quarter, quarter);
  }
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/motion.h"

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/base/pixels/pixel_layout.h"

namespace uad {
namespace {

constexpr int kAcross = 32;
constexpr int kDown = 24;
constexpr int kSamples = 8;  // of a cell, across and down
constexpr int kGlitch = 2;   // changes: into a flash and out of it
constexpr int kSettled = 2;  // frames without change

/// The middle of the i-th of `parts` equal parts of `size` pixels.
int middle(int i, int parts, int size) {
  return static_cast<int>((2 * static_cast<std::int64_t>(i) + 1) * size / (2 * parts));
}

/// The component that is nearest to brightness.
const Component& luma(const PixelLayout& layout) {
  return layout.components[layout.count == 3 && !layout.yuv ? 1 : 0];
}

/// Sums of the samples of each cell of one row.
template <class Sample>
void add_row(const std::uint8_t* row, const std::array<std::ptrdiff_t, kAcross * kSamples>& columns,
             float* cells) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Sample value;
    std::memcpy(&value, row + columns[i], sizeof value);
    cells[i / kSamples] += static_cast<float>(value);
  }
}

}  // namespace

Thumbnail thumbnail(const FrameView& frame) {
  require_whole(frame);
  const PixelLayout layout = pixel_layout(frame.format);
  const Component& component = luma(layout);
  const BasicPlane<const std::uint8_t>& plane = frame.planes[component.plane];
  std::array<std::ptrdiff_t, kAcross * kSamples> columns{};
  for (int i = 0; i < kAcross * kSamples; ++i) {
    columns[static_cast<std::size_t>(i)] =
        component.offset +
        static_cast<std::ptrdiff_t>(component.step) * middle(i, kAcross * kSamples, frame.width);
  }
  Thumbnail cells(kAcross * kDown, 0.0F);
  for (int i = 0; i < kDown * kSamples; ++i) {
    const auto* row = plane.data + plane.stride * middle(i, kDown * kSamples, frame.height);
    float* to = &cells[static_cast<std::size_t>(i / kSamples) * kAcross];
    if (frame.format == PixelFormat::kGray16) {
      add_row<std::uint16_t>(row, columns, to);
    } else {
      add_row<std::uint8_t>(row, columns, to);
    }
  }
  const bool deep = frame.format == PixelFormat::kGray16;
  const float level = deep ? 255.0F / static_cast<float>(frame.white_level) : 1.0F;
  const float mean =
      std::accumulate(cells.begin(), cells.end(), 0.0F) / static_cast<float>(cells.size());
  for (float& cell : cells) cell = (cell - mean) * level / (kSamples * kSamples);
  return cells;
}

double difference(const Thumbnail& one, const Thumbnail& other) {
  const double sum =
      std::transform_reduce(one.begin(), one.end(), other.begin(), 0.0, std::plus<>(),
                            [](float a, float b) { return std::abs(a - b); });
  return sum / static_cast<double>(one.size());
}

Scene MotionSensor::look(const FrameView& frame, double threshold) {
  Thumbnail now = thumbnail(frame);
  const bool first = last_.empty();
  change_ = first ? 0 : difference(last_, now);
  const bool changed = first || change_ > threshold;
  last_ = std::move(now);
  if (changed) {
    ++changed_;
    settled_ = 0;
  } else if (changed_ == 0) {
    resting_ = last_;  // follows slow changes of the light
    return Scene::kStill;
  } else if (++settled_ == kSettled) {
    const bool as_before =
        changed_ <= kGlitch && !resting_.empty() && difference(resting_, last_) <= threshold;
    changed_ = settled_ = 0;
    resting_ = last_;
    return as_before ? Scene::kStill : Scene::kNew;
  }
  return changed_ > kGlitch || resting_.empty() ? Scene::kMoving : Scene::kUnsettled;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Packed 8-bit images and the two pixel operations that decide a score: colour conversion and
// antialiased resize.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/frame_view.h"

namespace uad {

/// uint8 [height, width, channels], packed; channels 3 = RGB, 1 = mask or grey.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<std::uint8_t> pixels;
  bool operator==(const Image&) const = default;
};

/// A view of an RGB (3 channels) or GRAY8 (1 channel) image; the image must outlive it.
FrameView view(const Image& image);

/// RGB of one part of a frame; only the pixels inside `part` are converted. Grey is replicated. YUV
/// goes through the frame's matrix and range with the 8-bit arithmetic of videoconvert (GStreamer
/// 1.22); I420 and YV12 take the chroma sample that covers a pixel, the others interpolate.
/// @throws Error(kShapeMismatch) if `part` is not inside the frame or a plane is missing.
Image to_rgb(const FrameView& frame, const Rect& part);

/// resize_antialiased(to_rgb(frame, part), size), bit for bit, without the image in between.
/// @param antialias  false = each pixel from the four nearest alone, however much it shrinks.
Image to_rgb_resized(const FrameView& frame, const Rect& part, Size size, bool antialias = true);

/// Antialiased bilinear (triangle filter whose support grows with the down-scale factor),
/// horizontal pass first, 8-bit rounding after each pass: bit-equal to the BILINEAR of Pillow
/// before version 13. Same size = a copy.
Image resize_antialiased(const Image& image, Size size);

/// The same filter without rounding. `values` is float32 [height, width].
std::vector<float> resize_antialiased(const std::vector<float>& values, Size from, Size to);

/// Nearest neighbour (index floor((i + 1/2) * from / to)), for masks.
Image resize_nearest(const Image& image, Size size);

/// One part of an image. @throws Error(kShapeMismatch) if it is not inside.
Image crop(const Image& image, const Rect& part);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/image.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/rgb_rows.h"

namespace uad {
namespace {

Image blank(Size size, int channels) {
  return {size.width, size.height, channels,
          std::vector<std::uint8_t>(static_cast<std::size_t>(size.width) *
                                    static_cast<std::size_t>(size.height) *
                                    static_cast<std::size_t>(channels))};
}

std::size_t row_bytes(const Image& image) {
  return static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
}

}  // namespace

FrameView view(const Image& image) {
  if (image.channels != 1 && image.channels != 3) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("An image must have 1 or 3 channels, but has {}.", image.channels));
  }
  if (image.pixels.size() != row_bytes(image) * static_cast<std::size_t>(image.height)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("An image of {}x{}x{} must hold that many bytes, but holds {}.",
                            image.width, image.height, image.channels, image.pixels.size()));
  }
  FrameView frame;
  frame.format = image.channels == 3 ? PixelFormat::kRgb : PixelFormat::kGray8;
  frame.width = image.width;
  frame.height = image.height;
  frame.planes[0] = {image.pixels.data(), static_cast<std::ptrdiff_t>(row_bytes(image))};
  return frame;
}

Image to_rgb(const FrameView& frame, const Rect& part) {
  RgbRows rows(frame, part);
  Image image = blank({part.width, part.height}, 3);
  const auto width = static_cast<std::size_t>(part.width);
  std::vector<std::int16_t> row(3 * width);
  std::array<std::int16_t*, 3> planes{row.data(), row.data() + width, row.data() + 2 * width};
  const bool grey = rows.channels() == 1;
  for (int y = 0; y < part.height; ++y) {
    rows.read(y, planes);
    interleave({planes[0], planes[grey ? 0 : 1], planes[grey ? 0 : 2]}, width,
               image.pixels.data() + static_cast<std::size_t>(y) * row_bytes(image));
  }
  return image;
}

Image resize_nearest(const Image& image, Size size) {
  view(image);
  if (size.width <= 0 || size.height <= 0 || image.width <= 0 || image.height <= 0) {
    throw Error(ErrorCode::kShapeMismatch, fmt::format("Cannot resize {}x{} to {}.", image.width,
                                                       image.height, to_string(size)));
  }
  const auto source = [](int i, int from, int to) {
    return static_cast<std::size_t>((2LL * i + 1) * from / (2LL * to));
  };
  Image resized = blank(size, image.channels);
  const auto channels = static_cast<std::size_t>(image.channels);
  std::uint8_t* to = resized.pixels.data();
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* const row =
        image.pixels.data() + source(y, image.height, size.height) * row_bytes(image);
    for (int x = 0; x < size.width; ++x) {
      to = std::copy_n(row + source(x, image.width, size.width) * channels, channels, to);
    }
  }
  return resized;
}

Image crop(const Image& image, const Rect& part) {
  view(image);
  if (part.empty() || part.x < 0 || part.y < 0 || part.width > image.width - part.x ||
      part.height > image.height - part.y) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The part {} does not lie inside the {}x{} image.", to_string(part),
                            image.width, image.height));
  }
  Image cut = blank({part.width, part.height}, image.channels);
  const auto channels = static_cast<std::size_t>(image.channels);
  std::uint8_t* to = cut.pixels.data();
  for (int y = 0; y < part.height; ++y) {
    to = std::copy_n(image.pixels.data() + static_cast<std::size_t>(part.y + y) * row_bytes(image) +
                         static_cast<std::size_t>(part.x) * channels,
                     row_bytes(cut), to);
  }
  return cut;
}

}  // namespace uad

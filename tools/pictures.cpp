// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pictures.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "tools/console.h"

namespace uad::tools {

static_assert(std::endian::native == std::endian::little, "write_npy writes the machine's order");

void write_npy(const std::filesystem::path& file, const ScoreMap& map) {
  std::string head = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 map.height, map.width);
  constexpr std::size_t kPrelude = 10;                   // magic, version, length
  head.append(63 - (kPrelude + head.size()) % 64, ' ');  // the data start at a multiple of 64
  head += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(head.size() & 0xFF);
  bytes += static_cast<char>(head.size() >> 8);
  bytes += head;
  const std::size_t start = bytes.size();
  bytes.resize(start + map.values.size() * sizeof(float));
  std::memcpy(bytes.data() + start, map.values.data(), map.values.size() * sizeof(float));
  write_text(file.string(), bytes);
}

Image painted(Image frame, const OverlayInput& input) {
  static const OverlayPainter painter{OverlayOptions{}};
  MutableFrameView view{PixelFormat::kRgb, frame.width, frame.height, {}, {}};
  view.planes[0] = {frame.pixels.data(), static_cast<std::ptrdiff_t>(frame.width) * 3};
  painter.paint(view, input);
  return frame;
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/image_check.h"

#include <array>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/files/crc32.h"

namespace uad {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::uint32_t kMaxSide = 32768;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kBadFile, fmt::format("Image '{}' is damaged: {}.", file, what));
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at++]);
  return value;
}

void check_sides(std::uint32_t width, std::uint32_t height, const std::string& file) {
  if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide) {
    refuse(file, fmt::format("it announces {}x{} pixels, 1 to {} a side are read", width, height,
                             kMaxSide));
  }
}

/// Critical chunks begin with a capital; of the others only transparency changes what is decoded.
bool decides_pixels(std::string_view type) {
  return (type[0] >= 'A' && type[0] <= 'Z') || type == "tRNS";
}

}  // namespace

bool is_png(const std::string& bytes) { return bytes.starts_with(kPngSignature); }
bool is_jpeg(const std::string& bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

std::string checked_png(const std::string& bytes, const std::string& file) {
  std::string kept(kPngSignature);
  for (std::size_t at = kPngSignature.size();;) {
    // A chunk: length (4 bytes), type (4), data, checksum of type and data (4).
    if (bytes.size() - at < 12) refuse(file, "it ends before its last chunk");
    const std::uint32_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) refuse(file, "it ends inside a chunk");
    const std::string_view type(bytes.data() + at + 4, 4);
    if (crc32(bytes.data() + at + 4, length + 4) != big_endian(bytes, at + 8 + length, 4)) {
      refuse(file, "a checksum does not fit its bytes");
    }
    if (kept.size() == kPngSignature.size()) {
      if (type != "IHDR" || length != 13) refuse(file, "it does not start with a header");
      check_sides(big_endian(bytes, at + 8, 4), big_endian(bytes, at + 12, 4), file);
    }
    if (decides_pixels(type)) kept.append(bytes, at, length + 12);
    at += length + 12;
    if (type == "IEND") return kept;
  }
}

void check_jpeg(const std::string& bytes, const std::string& file) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  bool scanned = false;
  for (std::size_t at = 2;;) {
    // Coded data hold no 0xFF followed by anything but 0 or a restart marker, so whatever lies
    // between two segments can be skipped byte by byte.
    while (at + 1 < bytes.size() &&
           (byte(at) != 0xFF || byte(at + 1) == 0 || byte(at + 1) == 0xFF ||
            (byte(at + 1) >= 0xD0 && byte(at + 1) <= 0xD7))) {
      ++at;
    }
    if (at + 1 >= bytes.size()) refuse(file, "it ends before its end marker");
    const unsigned char marker = byte(at + 1);
    at += 2;
    if (marker == 0xD9) {
      if (!scanned) refuse(file, "it holds no picture");
      return;
    }
    if (bytes.size() - at < 2) refuse(file, "it ends inside a segment");
    const std::uint32_t length = big_endian(bytes, at, 2);
    if (length < 2 || length > bytes.size() - at) refuse(file, "it ends inside a segment");
    const bool frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame && length >= 8) {
      check_sides(big_endian(bytes, at + 5, 2), big_endian(bytes, at + 3, 2), file);
    }
    if (marker == 0xDA) scanned = true;
    at += length;
  }
}

}  // namespace uad

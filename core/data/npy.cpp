// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/npy.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"
#include "core/files/atomic_file.h"

namespace uad {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold the machine's order");

constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr std::size_t kPrelude = kMagic.size() + 2;  // then follow 16 bits: length of the header
constexpr int kMaxSide = 32768;                      // pixels; as parse_size()

[[noreturn]] void refuse(const InputFile& file, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("\"{}\" is no score map: {}. Give a .npy file that uad wrote.",
                          file.name(), what));
}

std::string read_header(InputFile& file) {
  std::string prelude(kPrelude, '\0');
  if (file.bytes() < kPrelude) refuse(file, "it is too short");
  file.read(prelude.data(), kPrelude);
  if (!prelude.starts_with(kMagic)) refuse(file, "it does not begin as a NumPy file of format 1.0");
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(prelude[i]); };
  std::string header(byte(kPrelude - 2) + 256U * byte(kPrelude - 1), '\0');
  file.read(header.data(), header.size());
  return header;
}

/// "'shape': (128, 256)" → 256 wide, 128 high; empty if it is anything else.
Size parse_shape(std::string_view header) {
  constexpr std::string_view kKey = "'shape': (";
  const std::size_t key = header.find(kKey);
  if (key == std::string_view::npos) return {};
  Size size;
  const char* end = header.data() + header.size();
  const auto [comma, bad_height] =
      std::from_chars(header.data() + key + kKey.size(), end, size.height);
  if (bad_height != std::errc() || end - comma < 2 || std::string_view(comma, 2) != ", ") return {};
  const auto [close, bad_width] = std::from_chars(comma + 2, end, size.width);
  return bad_width == std::errc() && close != end && *close == ')' ? size : Size{};
}

}  // namespace

void write_npy(const std::filesystem::path& file, const ScoreMap& map) {
  std::string head = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 map.height, map.width);
  head.append(63 - (kPrelude + head.size()) % 64, ' ');  // the data start at a multiple of 64
  head += '\n';
  std::string bytes(kMagic);
  bytes += static_cast<char>(head.size() & 0xFF);
  bytes += static_cast<char>(head.size() >> 8);
  bytes += head;
  const std::size_t start = bytes.size();
  bytes.resize(start + map.values.size() * sizeof(float));
  std::memcpy(bytes.data() + start, map.values.data(), map.values.size() * sizeof(float));
  write_file(file, bytes.data(), bytes.size());
}

ScoreMap read_npy(const std::filesystem::path& path) {
  InputFile file(path);
  const std::string header = read_header(file);
  if (header.find("'descr': '<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    refuse(file, "it does not hold rows of 32-bit floating-point numbers");
  }
  const Size size = parse_shape(header);
  if (size.width < 1 || size.height < 1 || size.width > kMaxSide || size.height > kMaxSide) {
    refuse(file, "its shape is not (height, width)");
  }
  ScoreMap map{size.width, size.height, {}};
  const std::uint64_t count =
      static_cast<std::uint64_t>(size.width) * static_cast<std::uint64_t>(size.height);
  const std::uint64_t begin = kPrelude + header.size();
  if (file.bytes() != begin + count * sizeof(float)) {
    refuse(file, fmt::format("a {}x{} map takes {} bytes, it has {}", size.width, size.height,
                             begin + count * sizeof(float), file.bytes()));
  }
  map.values.resize(count);
  file.read(map.values.data(), count * sizeof(float));
  return map;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/mp4_check.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "core/base/files/input_file.h"

namespace uad::tools {
namespace {

constexpr std::uint64_t kHead = 8;       // bytes: 32-bit size, type
constexpr std::uint64_t kLongHead = 16;  // the same with a 64-bit size behind

struct Box {
  std::string type;
  std::uint64_t end = 0;  // in the file
};

std::uint64_t big_endian(const unsigned char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/// The box at `start`, where at least kHead bytes are left; an end at `start` = no box.
Box read_box(InputFile& file, std::uint64_t start) {
  std::array<unsigned char, kLongHead> head{};
  file.seek(start);
  file.read(head.data(), kHead);
  Box box{std::string(reinterpret_cast<const char*>(head.data()) + 4, 4), start};
  std::uint64_t size = big_endian(head.data(), 4);
  std::uint64_t least = kHead;
  if (size == 0) size = file.bytes() - start;  // reaches to the end
  if (size == 1 && file.bytes() - start >= kLongHead) {
    file.read(head.data() + kHead, kLongHead - kHead);
    size = big_endian(head.data() + kHead, 8);
    least = kLongHead;
  }
  if (size >= least && size <= UINT64_MAX - start) box.end = start + size;
  return box;
}

}  // namespace

std::string missing_from_mp4(const std::filesystem::path& path) {
  InputFile file(path);
  bool index = false;
  for (std::uint64_t start = 0; file.bytes() - start >= kHead;) {
    const Box box = read_box(file, start);
    if (start == 0 && box.type != "ftyp") return "";
    if (box.end > file.bytes() &&
        (box.type == "mdat" || box.type == "moov" || box.type == "moof")) {
      return fmt::format("its part \"{}\" should reach to byte {}, but the file ends at byte {}",
                         box.type, box.end, file.bytes());
    }
    index = index || box.type == "moov";
    if (box.end <= start || box.end > file.bytes()) break;  // players ignore what trails
    start = box.end;
  }
  return index || file.bytes() < kHead ? "" : "it has no index (moov), which is written last";
}

}  // namespace uad::tools

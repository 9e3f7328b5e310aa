// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/crc32.h"

#include <array>

namespace uad {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 4>;

/// Table t: what a byte does to the checksum t bytes later. Four let the loop take four bytes at
/// once.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xEDB88320U : 0);
    tables[0][byte] = value;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[t - 1][byte];
      tables[t][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(const void* bytes, std::size_t count, std::uint32_t previous) {
  const auto* next = static_cast<const unsigned char*>(bytes);
  std::uint32_t value = ~previous;
  for (; count >= 4; count -= 4, next += 4) {
    value ^= static_cast<std::uint32_t>(next[0]) | static_cast<std::uint32_t>(next[1]) << 8 |
             static_cast<std::uint32_t>(next[2]) << 16 | static_cast<std::uint32_t>(next[3]) << 24;
    value = kTables[3][value & 0xFF] ^ kTables[2][value >> 8 & 0xFF] ^
            kTables[1][value >> 16 & 0xFF] ^ kTables[0][value >> 24];
  }
  for (; count > 0; --count) value = value >> 8 ^ kTables[0][(value ^ *next++) & 0xFF];
  return ~value;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/zip_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/files/byte_cursor.h"
#include "core/files/crc32.h"

namespace uad {
namespace {

constexpr std::uint32_t kEntrySignature = 0x04034B50;
constexpr std::uint32_t kDirectorySignature = 0x02014B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kLocatorSignature = 0x07064B50;
constexpr std::string_view kEndSignature = "PK\5\6";
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kLocatorBytes = 20;
constexpr std::uint64_t kEntryHeaderBytes = 30;
constexpr std::uint64_t kMaxDirectoryBytes = 16ULL << 20;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the true value stands in a 64-bit field

/// Fills in the values of a directory entry that did not fit 32 bits, from its extra field 1.
void widen(ByteCursor extra, std::uint64_t& plain, std::uint64_t& packed, std::uint64_t& header) {
  while (extra.left() >= 4) {
    const auto kind = extra.number<std::uint16_t>();
    const auto bytes = extra.number<std::uint16_t>();
    if (kind != 1) {
      extra.take(bytes);
      continue;
    }
    for (std::uint64_t* value : {&plain, &packed, &header}) {
      if (*value == kIn64) *value = extra.number<std::uint64_t>();
    }
    return;
  }
}

}  // namespace

ZipReader::ZipReader(const std::filesystem::path& file) : file_(file) {
  read_entries(find_directory());
}

void ZipReader::refuse(const std::string& what) const {
  throw Error(
      ErrorCode::kBadFile,
      fmt::format("Archive '{}' cannot be read: {}; copy or download it again.", name(), what));
}

std::string ZipReader::read_at(std::uint64_t offset, std::uint64_t count) {
  if (offset > file_.bytes() || count > file_.bytes() - offset) {
    refuse("a part of it lies behind its end");
  }
  file_.seek(offset);
  std::string bytes(count, '\0');
  file_.read(bytes.data(), count);
  return bytes;
}

ZipReader::Directory ZipReader::find_directory() {
  // The end record is the last thing in the file but for a comment of at most 65535 bytes.
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(file_.bytes(), kEndBytes + 0xFFFF);
  const std::uint64_t tail_begin = file_.bytes() - tail_bytes;
  const std::string tail = read_at(tail_begin, tail_bytes);
  const std::size_t end = tail.rfind(kEndSignature);
  if (end == std::string::npos || tail.size() - end < kEndBytes) refuse("its directory is missing");
  ByteCursor record(std::string_view(tail).substr(end), name());
  record.take(10);
  Directory found;
  found.entries = record.number<std::uint16_t>();
  found.bytes = record.number<std::uint32_t>();
  found.offset = record.number<std::uint32_t>();
  if (found.entries != 0xFFFF && found.bytes != kIn64 && found.offset != kIn64) return found;
  if (tail_begin + end < kLocatorBytes) refuse("its directory is damaged");
  const std::string near_end = read_at(tail_begin + end - kLocatorBytes, kLocatorBytes);
  ByteCursor locator(near_end, name());
  if (locator.number<std::uint32_t>() != kLocatorSignature) refuse("its directory is damaged");
  locator.take(4);
  const std::string end64 = read_at(locator.number<std::uint64_t>(), kEnd64Bytes);
  ByteCursor wide(end64, name());
  if (wide.number<std::uint32_t>() != kEnd64Signature) refuse("its directory is damaged");
  wide.take(28);
  found.entries = wide.number<std::uint64_t>();
  found.bytes = wide.number<std::uint64_t>();
  found.offset = wide.number<std::uint64_t>();
  return found;
}

void ZipReader::read_entries(const Directory& directory) {
  if (directory.bytes > kMaxDirectoryBytes) refuse("its directory is too large");
  const std::string bytes = read_at(directory.offset, directory.bytes);
  ByteCursor in(bytes, name());
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (in.number<std::uint32_t>() != kDirectorySignature) refuse("its directory is damaged");
    in.take(4);
    const auto flags = in.number<std::uint16_t>();
    const auto method = in.number<std::uint16_t>();
    in.take(4);
    ZipEntry entry;
    entry.crc = in.number<std::uint32_t>();
    std::uint64_t packed = in.number<std::uint32_t>();
    entry.bytes = in.number<std::uint32_t>();
    const auto name_bytes = in.number<std::uint16_t>();
    const auto extra_bytes = in.number<std::uint16_t>();
    const auto comment_bytes = in.number<std::uint16_t>();
    in.take(8);
    entry.header = in.number<std::uint32_t>();
    const std::string entry_name(in.take(name_bytes));
    widen(ByteCursor(in.take(extra_bytes), name()), entry.bytes, packed, entry.header);
    in.take(comment_bytes);
    if (method != 0 || packed != entry.bytes || (flags & 1) != 0) {
      refuse(fmt::format("its entry '{}' is compressed or encrypted", entry_name));
    }
    // Entries may not share bytes, so what is read stays below the size of the file.
    if (entry.bytes > file_.bytes() - total) refuse("its entries overlap");
    total += entry.bytes;
    if (!entries_.emplace(entry_name, entry).second) {
      refuse(fmt::format("its entry '{}' occurs twice", entry_name));
    }
  }
}

void ZipReader::read(const ZipEntry& entry, void* into) {
  const std::string header = read_at(entry.header, kEntryHeaderBytes);
  ByteCursor in(header, name());
  if (in.number<std::uint32_t>() != kEntrySignature) refuse("its directory is damaged");
  in.take(22);
  const auto name_bytes = in.number<std::uint16_t>();
  const auto extra_bytes = in.number<std::uint16_t>();
  file_.seek(std::min(file_.bytes(), entry.header + kEntryHeaderBytes + name_bytes + extra_bytes));
  file_.read(into, entry.bytes);
  if (crc32(into, entry.bytes) != entry.crc) refuse("a checksum does not fit its bytes");
}

}  // namespace uad

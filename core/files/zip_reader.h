// SPDX-License-Identifier: LGPL-2.1-or-later
// Zip archives whose entries are stored as they are, as PyTorch writes them (zip64 too).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/base/files/input_file.h"

namespace uad {

struct ZipEntry {
  std::uint64_t header = 0;  ///< where the entry's own header begins
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
};

/// Source: PKWARE's APPNOTE, sections 4.3 and 4.5.3. @note One thread.
class ZipReader {
 public:
  /// Reads the directory. @throws Error(kNotFound, kBadFile): no or damaged directory, compressed
  /// or encrypted entries, names given twice.
  explicit ZipReader(const std::filesystem::path& file);
  [[nodiscard]] const std::string& name() const noexcept { return file_.name(); }
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_.bytes(); }
  [[nodiscard]] const std::map<std::string, ZipEntry>& entries() const noexcept { return entries_; }
  /// Exactly entry.bytes bytes. @throws Error(kBadFile) if they do not match their checksum.
  void read(const ZipEntry& entry, void* into);

 private:
  struct Directory {
    std::uint64_t offset = 0, bytes = 0, entries = 0;
  };
  Directory find_directory();
  void read_entries(const Directory& directory);
  [[noreturn]] void refuse(const std::string& what) const;
  std::string read_at(std::uint64_t offset, std::uint64_t count);

  InputFile file_;
  std::map<std::string, ZipEntry> entries_;
};

}  // namespace uad

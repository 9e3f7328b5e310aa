// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells whether a file is still the same one.
#pragma once

#include <cstdint>
#include <filesystem>

namespace uad {

/// Equal stamps = same file with same content, as far as the file system says.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t bytes = -1;  ///< -1 = there is no such file
  bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const std::filesystem::path& file) noexcept;

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/file_stamp.h"

#include <sys/stat.h>

namespace uad {

FileStamp stamp_of(const std::filesystem::path& file) noexcept {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  const std::int64_t nanoseconds_per_second = 1'000'000'000;
  return {found.st_dev, found.st_ino,
          found.st_mtim.tv_sec * nanoseconds_per_second + found.st_mtim.tv_nsec, found.st_size};
}

}  // namespace uad

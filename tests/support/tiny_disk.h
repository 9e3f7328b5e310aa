// SPDX-License-Identifier: LGPL-2.1-or-later
// A file system of one megabyte that really gets full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/mount.h>

#include "tests/support/temp_dir.h"

namespace uad::test {

class TinyDisk {
 public:
  TinyDisk() : mounted_(mount("none", folder_.path().c_str(), "tmpfs", 0, "size=1m") == 0) {}
  ~TinyDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  /// False without the right to mount; tests then skip.
  [[nodiscard]] bool mounted() const { return mounted_; }
  static constexpr char kWhyNot[] = "needs root: it mounts a tmpfs of 1 MB";
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::ptrdiff_t entries() const { return folder_.entries(); }
  /// Adds a file "filler" that leaves about so many bytes free.
  void fill(std::uintmax_t keep_free) const {
    const auto free = std::filesystem::space(folder_.path()).available;
    if (free <= keep_free) return;
    write_bytes(folder_ / "filler", std::string(free - keep_free, 'x'));
  }

 private:
  TempDir folder_;
  bool mounted_;
};

}  // namespace uad::test

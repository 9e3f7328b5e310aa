// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/error.h"

namespace uad::fuzz {

/// The bytes of one run as a file that has a path, without a disk.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* bytes, std::size_t count) : descriptor_(memfd_create("input", 0)) {
    if (descriptor_ < 0 || write(descriptor_, bytes, count) != static_cast<ssize_t>(count)) abort();
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

/// A reader may refuse its input with an Error; whatever else it throws is a finding.
template <class Read>
void expect_read_or_refused(Read&& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

}  // namespace uad::fuzz

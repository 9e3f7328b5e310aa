// SPDX-License-Identifier: LGPL-2.1-or-later
// What the dynamic linker would do with a shared library, found out without loading it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace uad::gst {

/// The parts of an ELF file's dynamic section that decide which files get loaded.
struct ElfFile {
  std::vector<std::string> needed;             ///< sonames
  std::vector<std::filesystem::path> runpath;  ///< folders, $ORIGIN resolved
};

/// @throws Error(kNotFound, kBadFile)
ElfFile read_elf(const std::filesystem::path& file);

/// Where `soname` would be taken from for `user`: LD_LIBRARY_PATH, then the file's run path. Empty
/// if only the system's folders are left.
std::filesystem::path find_library(const std::string& soname, const ElfFile& user);

}  // namespace uad::gst

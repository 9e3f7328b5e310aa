// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/elf_file.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <elf.h>
#include <link.h>

#include "core/base/error.h"

namespace uad::gst {
namespace {

/// Reads structures at offsets that the file itself names, so every access is checked.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file)
      : name_(file.string()), in_(file, std::ios::binary) {
    if (!in_) throw Error(ErrorCode::kNotFound, "Library \"" + name_ + "\" cannot be opened.");
  }
  template <class T>
  T at(std::uint64_t offset) {
    T value{};
    in_.seekg(static_cast<std::streamoff>(offset));
    if (!in_.read(reinterpret_cast<char*>(&value), sizeof value)) broken();
    return value;
  }
  std::string text_at(std::uint64_t offset) {
    std::string text;
    in_.seekg(static_cast<std::streamoff>(offset));
    if (!std::getline(in_, text, '\0')) broken();
    return text;
  }
  [[noreturn]] void broken() const {
    throw Error(ErrorCode::kBadFile, "\"" + name_ + "\" is not a shared library of this machine.");
  }

 private:
  std::string name_;
  std::ifstream in_;
};

std::vector<std::filesystem::path> split_path(const std::string& list, const std::string& origin) {
  std::vector<std::filesystem::path> folders;
  std::istringstream in(list);
  for (std::string folder; std::getline(in, folder, ':');) {
    for (const std::string token : {"$ORIGIN", "${ORIGIN}"}) {
      const auto at = folder.find(token);
      if (at != std::string::npos) folder.replace(at, token.size(), origin);
    }
    if (!folder.empty()) folders.emplace_back(folder);
  }
  return folders;
}

}  // namespace

ElfFile read_elf(const std::filesystem::path& file) {
  Reader reader(file);
  const auto header = reader.at<ElfW(Ehdr)>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof(ElfW(Phdr))) {
    reader.broken();
  }
  std::vector<ElfW(Phdr)> segments;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    segments.push_back(reader.at<ElfW(Phdr)>(header.e_phoff + i * sizeof(ElfW(Phdr))));
  }
  std::vector<ElfW(Dyn)> entries;
  std::uint64_t strings_address = 0;
  for (const auto& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    for (std::uint64_t at = 0; at + sizeof(ElfW(Dyn)) <= segment.p_filesz;
         at += sizeof(ElfW(Dyn))) {
      entries.push_back(reader.at<ElfW(Dyn)>(segment.p_offset + at));
      if (entries.back().d_tag == DT_STRTAB) strings_address = entries.back().d_un.d_ptr;
    }
  }
  std::uint64_t strings = 0;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && strings_address >= segment.p_vaddr &&
        strings_address < segment.p_vaddr + segment.p_filesz) {
      strings = segment.p_offset + (strings_address - segment.p_vaddr);
    }
  }
  if (strings == 0) reader.broken();
  ElfFile elf;
  const std::string origin = std::filesystem::absolute(file).parent_path().string();
  for (const auto& entry : entries) {
    if (entry.d_tag == DT_NEEDED) elf.needed.push_back(reader.text_at(strings + entry.d_un.d_val));
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) {
      elf.runpath = split_path(reader.text_at(strings + entry.d_un.d_val), origin);
    }
  }
  return elf;
}

std::filesystem::path find_library(const std::string& soname, const ElfFile& user) {
  const char* environment = std::getenv("LD_LIBRARY_PATH");
  auto folders = split_path(environment != nullptr ? environment : "", "");
  folders.insert(folders.end(), user.runpath.begin(), user.runpath.end());
  for (const auto& folder : folders) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / soname, ignored)) return folder / soname;
  }
  return {};
}

}  // namespace uad::gst

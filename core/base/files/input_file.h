// SPDX-License-Identifier: LGPL-2.1-or-later
// A file opened for reading whose every short read is an error with the file's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace uad {

/// @note One thread.
class InputFile {
 public:
  /// @throws Error(kNotFound) if nothing is there; Error(kBadFile) if it is no readable file.
  explicit InputFile(const std::filesystem::path& file);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Reads exactly `count` bytes. @throws Error(kBadFile) if the file ends or fails before.
  void read(void* into, std::uint64_t count);
  /// @throws Error(kBadFile) if `offset` is past the end.
  void seek(std::uint64_t offset);
  /// From here to the end. @throws Error(kBadFile) if that is more than `limit` bytes.
  std::string read_rest(std::uint64_t limit);

 private:
  std::string name_;
  std::uint64_t bytes_ = 0;
  std::uint64_t position_ = 0;
  std::ifstream stream_;
};

}  // namespace uad

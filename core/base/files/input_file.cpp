// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/input_file.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

namespace fs = std::filesystem;

InputFile::InputFile(const fs::path& file) : name_(file.string()) {
  std::error_code failure;
  const fs::file_status status = fs::status(file, failure);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::kNotFound, fmt::format("File '{}' does not exist.", name_));
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorCode::kBadFile, fmt::format("'{}' is not a file.", name_), failure.message());
  }
  errno = 0;
  stream_.open(file, std::ios::binary);
  if (!stream_) {
    const std::string reason = std::generic_category().message(errno);
    throw Error(ErrorCode::kBadFile, fmt::format("File '{}' cannot be read: {}.", name_, reason));
  }
  bytes_ = fs::file_size(file, failure);
  if (failure) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' cannot be read: {}.", name_, failure.message()));
  }
}

void InputFile::read(void* into, std::uint64_t count) {
  const bool inside = count <= bytes_ - position_;
  if (inside) stream_.read(static_cast<char*>(into), static_cast<std::streamsize>(count));
  if (!inside || !stream_) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' ends too early: it has {} bytes and {} more were expected "
                            "after byte {}; copy or make it again.",
                            name_, bytes_, count, position_));
  }
  position_ += count;
}

void InputFile::seek(std::uint64_t offset) {
  if (offset > bytes_) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' ends too early: it has {} bytes and byte {} was expected; "
                            "copy or make it again.",
                            name_, bytes_, offset));
  }
  stream_.seekg(static_cast<std::streamoff>(offset));
  position_ = offset;
}

std::string InputFile::read_rest(std::uint64_t limit) {
  const std::uint64_t count = bytes_ - position_;
  if (count > limit) {
    throw Error(ErrorCode::kBadFile, fmt::format("File '{}' is too large: {} bytes, at most {}.",
                                                 name_, bytes_, position_ + limit));
  }
  std::string text(count, '\0');
  read(text.data(), count);
  return text;
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes of a foreign file, read from front to back with every step checked.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace uad {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

/// Does not own the bytes. @note One thread.
class ByteCursor {
 public:
  ByteCursor(std::string_view bytes, const std::string& file_name)
      : bytes_(bytes), file_name_(file_name) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - position_; }

  /// @throws Error(kBadFile) if fewer than `count` bytes are left.
  std::string_view take(std::uint64_t count) {
    if (count > left()) {
      throw Error(ErrorCode::kBadFile, "File '" + file_name_ +
                                           "' is damaged: a part of it ends too early; copy or " +
                                           "download it again.");
    }
    const std::string_view part = bytes_.substr(position_, count);
    position_ += count;
    return part;
  }
  /// A little-endian number.
  template <class Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof(Number)).data(), sizeof(Number));
    return value;
  }
  /// Up to the next line feed, which is consumed.
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    const std::string_view text =
        take(end == std::string_view::npos ? left() + 1 : end - position_);
    take(1);
    return text;
  }

 private:
  std::string_view bytes_;
  const std::string& file_name_;
  std::size_t position_ = 0;
};

}  // namespace uad

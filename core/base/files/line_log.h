// SPDX-License-Identifier: LGPL-2.1-or-later
// A text file that lines are added to.
#pragma once

#include <filesystem>
#include <string>

namespace uad {

/// Each line is with the system when append() returns: a crash of the process loses none.
/// @note Not thread-safe.
class LineLog {
 public:
  /// Makes the file, or goes on at the end of the one that is there.
  /// @throws Error(kFailed) if it cannot be written.
  explicit LineLog(std::filesystem::path file);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  /// @param line  without its end. @throws Error(kFailed), e.g. when the disk is full; the next
  /// line begins properly nevertheless.
  void append(const std::string& line);
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

 private:
  std::filesystem::path file_;
  int descriptor_;
  bool torn_ = false;  // the last line broke off
};

}  // namespace uad

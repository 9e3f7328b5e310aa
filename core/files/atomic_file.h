// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>

namespace uad {

/// Bytes go to a new file beside the target; commit() puts it in the target's place. Without
/// commit() the target stays as it was and the new file is removed. A target that is a symbolic
/// link keeps being one. @note One thread.
class AtomicFile {
 public:
  /// @throws Error(kFailed) with the path and the system's reason, as all members.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  /// Syncs file and folder, so a power cut afterwards loses nothing.
  void commit();

 private:
  [[noreturn]] void fail(int reason) const;
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// The whole file at once. @throws Error(kFailed).
void write_file(const std::filesystem::path& target, const void* bytes, std::size_t count);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// TensorBoard's event file: records of an Event message each, guarded by CRC-32C.
// Source: tensorflow/core/lib/io/record_writer.h (framing), tensorflow/core/util/event.proto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace uad {

/// CRC-32C (Castagnoli polynomial, reflected) of some bytes, e.g. 0xe3069283 of "123456789".
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

/// A new file "events.out.tfevents.TIME.uad.PROCESS" in a folder; a run that goes on begins another
/// one, and TensorBoard puts them together. @note One thread.
class EventFile {
 public:
  /// Makes the folder if it is not there. @throws Error(kFailed) as all members, with the path and
  /// the system's reason.
  explicit EventFile(const std::filesystem::path& folder);
  /// Scalars of one step; on disk when it returns.
  void add(std::int64_t step, const std::map<std::string, double>& scalars);
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// The one exception type that core and models throw.
#pragma once

#include <stdexcept>
#include <string>

namespace uad {

enum class ErrorCode {
  kNotFound,       ///< a file, folder or device does not exist
  kNoDevice,       ///< the machine lacks the compute device or precision asked for
  kBadFile,        ///< a file exists but cannot be trusted or decoded
  kBadOption,      ///< an option, property or key has an illegal value
  kShapeMismatch,  ///< an image, tile or tensor has another shape or format than expected
  kCancelled,      ///< the caller asked to stop
  kFailed,         ///< everything else (disk full, out of memory, our own bugs)
};

/// `what()` is for the operator: one sentence with what was expected, what was found and which
/// property, option or file to change. `detail()` is for the developer and may be empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string detail = {})
      : std::runtime_error(message), code_(code), detail_(std::move(detail)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

 private:
  ErrorCode code_;
  std::string detail_;
};

}  // namespace uad

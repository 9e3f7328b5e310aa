// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/line_log.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"

namespace uad {

LineLog::LineLog(std::filesystem::path file)
    : file_(std::move(file)),
      descriptor_(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ >= 0) return;
  throw Error(ErrorCode::kFailed,
              fmt::format("\"{}\" cannot be written: {}; name a file in a folder that exists and "
                          "may be written to.",
                          file_.string(), std::strerror(errno)));
}

LineLog::~LineLog() { ::close(descriptor_); }

void LineLog::append(const std::string& line) {
  const std::string text = (torn_ ? "\n" : "") + line + "\n";
  errno = 0;  // a short write, which a full disk may give, does not set it
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) {
    torn_ = false;
    return;
  }
  torn_ = torn_ || written > 0;
  throw Error(ErrorCode::kFailed,
              fmt::format("A line could not be added to \"{}\": {}; make room on the disk.",
                          file_.string(), std::strerror(errno != 0 ? errno : ENOSPC)));
}

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/console.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"

namespace uad::tools {

void log_to_stderr() {
  set_log_sink([](LogLevel level, const std::string& line) {
    if (level == LogLevel::kError || level == LogLevel::kWarning) note(line);
  });
}

void note(const std::string& text) { fmt::print(stderr, "uad: {}\n", text); }

ProgressBar::ProgressBar() : visible_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::update(double fraction, const std::string& stage) {
  const auto now = Clock::now();
  if (!visible_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  fraction = std::clamp(fraction, 0.0, 1.0);
  constexpr int kWidth = 30;
  const int full = static_cast<int>(fraction * kWidth);
  const double spent = std::chrono::duration<double>(now - start_).count();
  const std::string left =
      fraction > 0.02 ? fmt::format(", {:.0f} s left", spent * (1 - fraction) / fraction) : "";
  fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {:3.0f} % {}{}", "", full, "", kWidth - full,
             fraction * 100, stage, left);
}

ProgressFn ProgressBar::callback() {
  return [this](double fraction, const std::string& stage) { update(fraction, stage); };
}

void write_json(const std::string& file, const nlohmann::json& value) {
  write_text(file, value.dump(2) + "\n");
}

void write_text(const std::string& file, const std::string& text) {
  if (file == "-") {
    fmt::print("{}", text);
    return;
  }
  const std::filesystem::path target(file);
  std::error_code ignored;
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), ignored);
  const std::filesystem::path part = file + ".part";
  errno = 0;
  std::ofstream out(part, std::ios::binary);
  out << text;
  out.close();
  std::error_code failure(errno, std::generic_category());
  if (out) {
    failure.clear();
    std::filesystem::rename(part, target, failure);
    if (!failure) return;
  }
  std::filesystem::remove(part, ignored);
  throw Error(ErrorCode::kFailed,
              fmt::format("\"{}\" cannot be written ({}).", file, failure.message()));
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/console.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/distributed/processes.h"
#include "core/files/atomic_file.h"
#include "tools/arguments.h"

namespace uad::tools {

void log_to_stderr() {
  set_log_sink([](LogLevel level, const std::string& line) {
    if (level == LogLevel::kError || level == LogLevel::kWarning) note(line);
  });
}

// What all of several processes have to say, one of them says.
void note(const std::string& text) {
  if (is_first_process()) fmt::print(stderr, "uad: {}\n", text);
}

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

void prepare_output(const std::filesystem::path& file, const std::string& option) {
  if (file.empty() || file == "-") return;
  if (std::filesystem::is_directory(file)) {
    throw UsageError(fmt::format("{} \"{}\" is a folder; name a file.", option, file.string()));
  }
  std::error_code failure;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failure);
  if (failure) {
    throw Error(ErrorCode::kFailed,
                fmt::format("Folder \"{}\" cannot be made ({}). Change {}.",
                            file.parent_path().string(), failure.message(), option));
  }
}

void write_json(const std::string& file, const nlohmann::json& value) {
  write_text(file, value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void write_text(const std::string& file, const std::string& text) {
  if (file == "-") {
    fmt::print("{}", text);
    return;
  }
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored) &&
      !std::filesystem::is_directory(file, ignored)) {
    // A pipe or a device, e.g. /dev/stdout, is written to and not replaced.
    std::ofstream out(file, std::ios::binary);
    out << text;
    if (out.flush()) return;
    throw Error(ErrorCode::kFailed, fmt::format("\"{}\" cannot be written.", file));
  }
  prepare_output(file, "the output");
  write_file(file, text.data(), text.size());
}

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the user sees while something runs. Everything here goes to stderr; stdout is for results.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/backend.h"

namespace uad::tools {

/// Warnings and errors of core and models become lines on stderr.
void log_to_stderr();

/// One line on stderr, behind the name of the program.
void note(const std::string& text);

/// A bar with the stage and the time left; only on a terminal, silent otherwise.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void update(double fraction, const std::string& stage);
  /// The bar as a callback; the bar must outlive it.
  [[nodiscard]] ProgressFn callback();

 private:
  using Clock = std::chrono::steady_clock;
  bool visible_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_{};
};

/// Makes the folder of a file that will be written, so that a wrong path is found before the work
/// and not after it. "" and "-" need none.
/// @param option  names it in messages, e.g. "--output".
/// @throws UsageError if it is a folder; Error(kFailed) if its folder cannot be made.
void prepare_output(const std::filesystem::path& file, const std::string& option);

/// To a file (written beside it first, then renamed), or to stdout for "-".
/// Bytes that are no UTF-8 become U+FFFD. @throws Error(kFailed) with the system's reason.
void write_json(const std::string& file, const nlohmann::json& value);
/// The same for any text.
void write_text(const std::string& file, const std::string& text);

}  // namespace uad::tools

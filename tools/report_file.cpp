// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/report_file.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/eval/report/page.h"
#include "tools/console.h"

namespace uad::tools {

void write_report(const std::string& file, const std::vector<report::Run>& runs,
                  const std::string& title) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  write_text(file, report::report_page(
                       runs, {title, fmt::format("Made by uad {} on {:%Y-%m-%d at %H:%M} UTC.",
                                                 UAD_VERSION, fmt::gmtime(now))}));
}

}  // namespace uad::tools

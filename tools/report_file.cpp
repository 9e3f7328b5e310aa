// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/report_file.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/eval/report/page.h"
#include "core/eval/report/protocol_page.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

std::string made_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("Made by uad {} on {:%Y-%m-%d at %H:%M} UTC.", UAD_VERSION, fmt::gmtime(now));
}

}  // namespace

void write_report(const std::string& file, const std::vector<report::Run>& runs,
                  const std::string& title) {
  write_text(file, report::report_page(runs, {title, made_now()}));
}

void write_report(const std::string& file, const std::vector<report::ProtocolRun>& runs,
                  const std::string& title) {
  write_text(file, report::protocol_page(runs, {title, made_now()}));
}

}  // namespace uad::tools

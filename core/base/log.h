// SPDX-License-Identifier: LGPL-2.1-or-later
// Log lines of core and models; nothing here prints by itself.
#pragma once

#include <functional>
#include <string>

namespace uad {

enum class LogLevel { kError, kWarning, kInfo, kDebug, kTrace };

using LogSink = std::function<void(LogLevel, const std::string&)>;

/// Where log lines go; an empty sink (the default) drops them. The plug-in joins it to the category
/// `uadcore`, the command line to stderr. @note Thread-safe; the sink is called from any thread.
void set_log_sink(LogSink sink);

/// Sends one line to the sink. @note Thread-safe.
void log(LogLevel level, const std::string& line);

}  // namespace uad

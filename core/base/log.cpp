// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/log.h"

#include <mutex>
#include <utility>

namespace uad {
namespace {

std::mutex sink_lock;  // guards `sink`
LogSink sink;

}  // namespace

void set_log_sink(LogSink new_sink) {
  const std::lock_guard guard(sink_lock);
  sink = std::move(new_sink);
}

void log(LogLevel level, const std::string& line) {
  LogSink target;
  {
    const std::lock_guard guard(sink_lock);
    target = sink;
  }
  if (target) target(level, line);
}

}  // namespace uad

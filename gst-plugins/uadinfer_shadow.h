// SPDX-License-Identifier: LGPL-2.1-or-later
// What uadinfer tells of its shadow model: bus messages and the log of disagreements.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <gst/gst.h>

#include "core/base/engine/shadow_worker.h"
#include "core/base/files/line_log.h"

namespace uad::gst {

/// @note Thread-safe.
class ShadowReport {
 public:
  /// @param element  posts the messages.
  explicit ShadowReport(GstElement* element) : element_(element) {}

  /// Connects a worker to this report, which must outlive it.
  [[nodiscard]] ShadowWorker::Events events();
  /// Lines go to this file from now on; empty = to none. Warns if it cannot be written.
  void log_to(const std::string& file);

 private:
  void on_differed(const Disagreement& found);
  void write(const Disagreement& found);

  GstElement* element_;
  std::mutex lock_;  // guards the members below
  std::unique_ptr<LineLog> log_;
  bool log_fails_ = false;  // told already
};

}  // namespace uad::gst

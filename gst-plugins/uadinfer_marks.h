// SPDX-License-Identifier: LGPL-2.1-or-later
// "This one is good" in uadinfer: evidence, the update itself, and what the bus hears of it.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include <gst/gst.h>

#include "core/base/engine/good_marks.h"
#include "core/base/engine/load_slot.h"
#include "gst-plugins/uadinfer_settings.h"

namespace uad::gst {

/// @note Thread-safe.
class MarkReport {
 public:
  /// @param element  posts the messages. @param settings  those in force.
  MarkReport(GstElement* element, std::function<InferSettings()> settings)
      : element_(element), settings_(std::move(settings)) {}

  /// Connects the marks to this report and to the model that learns; both must outlive them.
  /// @param learnt  called when a new model is in service.
  [[nodiscard]] GoodMarks::Events events(std::function<LoadSlot<Analyser>&()> models,
                                         std::function<void(const AnalyserPtr&)> learnt);
  /// Makes the folder of evidence, if there is to be one.
  /// @throws Error(kBadOption, kNotFound, kFailed) for settings that cannot work.
  static void prepare(const InferSettings& settings);
  /// The model that `undone` was is out of service again: if it came from a mark, so is its file.
  void undo(const std::string& undone);
  /// A mark without a frame that it could mean.
  void unknown(std::uint64_t pts) const;

 private:
  struct Outcome {
    bool accepted = false;
    LearntGood learnt;
    std::string why;  ///< it was refused
  };

  void learn(const JudgedFrame& frame, const std::stop_token& stop, LoadSlot<Analyser>& models,
             const std::function<void(const AnalyserPtr&)>& learnt);
  void refuse(const JudgedFrame& frame, const std::exception_ptr& reason);
  void tell(const JudgedFrame& frame, const Outcome& outcome) const;

  GstElement* element_;
  std::function<InferSettings()> settings_;
  std::mutex lock_;     // guards the rest
  std::string newest_;  // SHA-256 of the model in learnt.uad; "" = undone, or none of this run
};

}  // namespace uad::gst

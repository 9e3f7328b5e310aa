// SPDX-License-Identifier: LGPL-2.1-or-later
// Results of core as buffer metas and bus messages.
#pragma once

#include <cstdint>
#include <string>

#include <gst/gst.h>

#include "core/base/results/analysis.h"
#include "core/base/results/health.h"
#include "core/base/results/part_judge.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

namespace uad::gst {

/// Turns analyses into metas; the last one is kept, so that frames with the same result share it.
/// @note Streaming thread only.
class ResultAttacher {
 public:
  ResultAttacher() = default;
  ~ResultAttacher() { reset(); }
  ResultAttacher(const ResultAttacher&) = delete;
  ResultAttacher& operator=(const ResultAttacher&) = delete;

  /// Adds a UadResultMeta, and one GstVideoRegionOfInterestMeta ("anomaly") per region unless the
  /// verdict is UNSCORED. @param buffer  must be writable.
  void attach(GstBuffer* buffer, const Shown& shown);
  void reset();

 private:
  AnalysisPtr source_;
  UadResult* result_ = nullptr;  // made from source_
};

/// Element message `uad-result`.
MessagePtr result_message(GstElement* element, const Analysis& analysis, const std::string& tags);

/// Element message `uad-verdict`: one part is judged. The worst frame is left out where there is
/// none, its place where it has none.
MessagePtr part_message(GstElement* element, const PartVerdict& part, const std::string& tags);

/// Element message `uad-health`.
MessagePtr health_message(GstElement* element, const HealthReport& report);

/// Element message `uad-model-changed`. @param why  what made the change: "watch", "undo" …
MessagePtr model_changed_message(GstElement* element, const std::string& path,
                                 const std::string& sha256, const std::string& why);

/// Element message `uad-shadow`: two models judge the same frame differently.
MessagePtr shadow_message(GstElement* element, const Analysis& main, const Analysis& shadow);

/// "2026-03-01T08:15:30.250000Z". @param utc_us  microseconds since 1970.
std::string iso_8601(std::int64_t utc_us);

/// Element message `uad-progress`: a model is being loaded or trained.
MessagePtr progress_message(GstElement* element, double fraction, const std::string& stage);

/// Any other element message. @param structure  is taken over.
MessagePtr element_message(GstElement* element, GstStructure* structure);

}  // namespace uad::gst

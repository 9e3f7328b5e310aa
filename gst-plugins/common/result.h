// SPDX-License-Identifier: LGPL-2.1-or-later
// Results of core as buffer metas and bus messages.
#pragma once

#include <string>

#include <gst/gst.h>

#include "core/base/results/analysis.h"
#include "core/base/results/health.h"
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

/// Element message `uad-health`.
MessagePtr health_message(GstElement* element, const HealthReport& report);

/// Element message `uad-progress`: a model is being loaded.
MessagePtr progress_message(GstElement* element, double fraction, const std::string& stage);

}  // namespace uad::gst

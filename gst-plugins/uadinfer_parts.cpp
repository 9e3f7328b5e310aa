// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_parts.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "gst-plugins/common/result.h"

GST_DEBUG_CATEGORY_EXTERN(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

namespace uad::gst {
namespace {

void require_use(bool given, const char* name, bool used, const char* boundary) {
  if (!given || used) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("{} has no effect here; set part-boundary={}, or leave {} out.", name,
                          boundary, name));
}

/// @throws Error(kBadOption) if the properties contradict each other.
PartOptions part_options(const InferSettings& s) {
  const InferSettings unset;
  const PartBoundary boundary = s.part_boundary;
  const bool parts = boundary != PartBoundary::kNone;
  const char* any = "event, motion or period";
  require_use(s.part_rule != unset.part_rule, "part-rule", parts, any);
  require_use(s.part_hysteresis, "part-hysteresis", parts, any);
  require_use(s.part_hold_ms > 0, "part-hold", parts, any);
  require_use(s.part_period_ms > 0, "part-period", boundary == PartBoundary::kPeriod, "period");
  require_use(s.part_motion > 0, "part-motion", boundary == PartBoundary::kMotion, "motion");
  if (boundary == PartBoundary::kPeriod && s.part_period_ms == 0) {
    throw Error(ErrorCode::kBadOption,
                "part-boundary=period needs part-period; set it to the milliseconds from one part "
                "to the next.");
  }
  if (boundary == PartBoundary::kMotion && s.part_motion == 0) {
    throw Error(ErrorCode::kBadOption,
                "part-boundary=motion needs part-motion; set it to the mean difference of two "
                "frames that counts as movement, for instance 3 grey levels.");
  }
  return {boundary,
          std::chrono::milliseconds(s.part_period_ms),
          s.part_motion,
          {parse_k_of_n(s.part_rule, "part-rule"), s.part_hysteresis,
           std::chrono::milliseconds(s.part_hold_ms), std::chrono::milliseconds(s.max_age_ms)}};
}

/// When a part was begun or ended from outside of the stream.
std::optional<Capture> time_of_call(bool live) {
  if (!live) return std::nullopt;
  Capture now;
  now.arrival = std::chrono::steady_clock::now();
  return now;
}

}  // namespace

PartReport::PartReport(GstElement* element)
    : element_(element), tracker_([this](const PartVerdict& verdict) { post(verdict); }) {}

void PartReport::set(const InferSettings& settings) {
  tracker_.set(part_options(settings));
  const std::lock_guard guard(lock_);
  tags_ = settings.tags;
}

void PartReport::look(const FrameView& frame) {
  const double change = tracker_.look(frame);
  GST_LOG_OBJECT(element_, "the frame differs by %.2f grey levels", change);
}

void PartReport::heard(const GstStructure* fields, bool live) {
  gboolean end_only = FALSE;
  gst_structure_get_boolean(fields, "end", &end_only);
  if (end_only) return end(live);
  const char* id = gst_structure_get_string(fields, "id");
  begin(id != nullptr ? id : "", live);
}

void PartReport::begin(const std::string& id, bool live) { tracker_.begin(id, time_of_call(live)); }

void PartReport::end(bool live) { tracker_.end(time_of_call(live)); }

void PartReport::post(const PartVerdict& verdict) {
  std::unique_lock guard(lock_);
  const std::string tags = tags_;
  guard.unlock();
  gst_element_post_message(element_, part_message(element_, verdict, tags).release());
}

}  // namespace uad::gst

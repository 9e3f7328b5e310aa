// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/analysis.h"

#include <utility>

namespace uad {
namespace {

constexpr char kWindowTooOld[] = "a window too old";

}  // namespace

/// Running time is what the user sees pass; arrival serves streams without timestamps.
std::uint64_t time_between(const Capture& earlier, const Capture& later) {
  if (earlier.running_time != kNoTime && later.running_time != kNoTime) {
    return later.running_time >= earlier.running_time ? later.running_time - earlier.running_time
                                                      : kNoTime;
  }
  const std::chrono::nanoseconds passed = later.arrival - earlier.arrival;
  return passed.count() >= 0 ? static_cast<std::uint64_t>(passed.count()) : kNoTime;
}

Analysis judge_output(ModelOutput output, const Thresholds& model,
                      const ThresholdOverrides& overrides) {
  Analysis analysis;
  analysis.thresholds = apply(model, overrides);
  analysis.score = output.score;
  analysis.normalised_score = analysis.thresholds.image.normalise(output.score);
  analysis.verdict = judge(output.score, analysis.thresholds);
  analysis.regions = find_regions(output.map, output.placement, analysis.thresholds.map.thr,
                                  analysis.thresholds.min_area);
  analysis.map = std::move(output.map);
  analysis.placement = output.placement;
  analysis.product = std::move(output.product);
  analysis.timings.infer_ms = output.infer_ms;
  return analysis;
}

Shown show(const AnalysisPtr& latest, const Capture& frame, std::chrono::milliseconds max_age,
           const char* absent) {
  if (!latest) return {nullptr, Verdict::kUnscored, kNoTime, absent};
  const std::uint64_t age = time_between(latest->capture, frame);
  const auto limit = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(max_age).count());
  if (age == kNoTime || age > limit) {
    return {latest, Verdict::kUnscored, age, "result too old"};
  }
  const Coverage& coverage = latest->coverage;
  const bool window_too_old = coverage.stale || limit - age < coverage.oldest_ns;
  if (latest->verdict == Verdict::kPass && window_too_old) {
    return {latest, Verdict::kUnscored, age, kWindowTooOld};
  }
  const bool scored = latest->verdict != Verdict::kUnscored;
  return {latest, latest->verdict, age,
          scored ? "" : (window_too_old ? kWindowTooOld : "score is not a number")};
}

}  // namespace uad

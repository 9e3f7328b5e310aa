// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds where parts begin and end in a stream, and gives each one verdict.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/pixels/motion.h"
#include "core/base/results/part_judge.h"

namespace uad {

enum class PartBoundary {
  kNone,    ///< no parts
  kEvent,   ///< begin() and end() say so
  kMotion,  ///< a part is what stands still between two movements
  kPeriod   ///< parts follow each other in equal times
};

struct PartOptions {
  PartBoundary boundary = PartBoundary::kNone;
  std::chrono::milliseconds period{0};  ///< kPeriod: > 0
  double motion = 0;                    ///< kMotion: grey levels, as MotionSensor takes them
  VerdictRule rule;
};

/// Verdicts are handed over in the order of parts, one at a time, with no lock held.
/// @note set() of another boundary, look(), frame(), finish(), flush() on the streaming thread (or
/// while there is none); the rest thread-safe.
class PartTracker {
 public:
  using Judged = std::function<void(const PartVerdict&)>;

  explicit PartTracker(Judged judged) : judged_(std::move(judged)) {}

  /// Another boundary forgets the parts so far.
  void set(const PartOptions& options);

  /// Whether look() wants each frame before frame() is told of it.
  [[nodiscard]] bool wants_pixels() const;
  /// @return MotionSensor::change().
  double look(const FrameView& frame);
  /// Every frame in its order. @param awaited  its result may come.
  /// @return parts that have begun until this frame, itself included.
  std::uint64_t frame(const Capture& capture, bool awaited);
  void result(const AnalysisPtr& analysis);

  /// kEvent: the next frame is the first of a part, and the one before ends.
  /// @param now  when, on a live stream; others have no time but that of their frames.
  void begin(std::string id, const std::optional<Capture>& now);
  /// kEvent: what follows belongs to no part.
  void end(const std::optional<Capture>& now);

  /// The stream ends: what is not there yet never comes.
  void finish() { abandon(false); }
  /// It goes on with other frames or another time: a part that is open is torn.
  void flush() { abandon(true); }
  /// As new, with the same options.
  void reset();

 private:
  void abandon(bool torn);
  void follow_period(const Capture& capture);
  void clear();
  void hand_over(std::unique_lock<std::mutex>& guard);

  Judged judged_;
  mutable std::mutex lock_;  // guards everything below, except sensor_ (streaming thread)
  PartOptions options_;
  PartJudge judge_;
  MotionSensor sensor_;
  Scene scene_ = Scene::kMoving;
  std::optional<Capture> period_start_;  // of the open part
  std::deque<PartVerdict> done_;         // to be handed over
  bool handing_over_ = false;
};

}  // namespace uad

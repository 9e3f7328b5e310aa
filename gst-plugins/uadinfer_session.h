// SPDX-License-Identifier: LGPL-2.1-or-later
// The model of one uadinfer and what it tells the bus: everything that is not a buffer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "core/base/engine/inference_engine.h"
#include "core/base/engine/model_watcher.h"
#include "core/base/engine/ticker.h"
#include "gst-plugins/common/demand.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/uadinfer_latency.h"
#include "gst-plugins/uadinfer_marks.h"
#include "gst-plugins/uadinfer_parts.h"
#include "gst-plugins/uadinfer_settings.h"
#include "gst-plugins/uadinfer_shadow.h"

namespace uad::gst {

/// Loads, watches, changes and shadows the model; posts results, health, progress and latency.
/// @note Thread-safe, except open() and close(), which belong to the state change.
class InferSession {
 public:
  /// @param element  owns this session.
  explicit InferSession(GstElement* element);

  [[nodiscard]] InferenceEngine& engine() noexcept { return engine_; }
  [[nodiscard]] PartReport& parts() noexcept { return parts_; }
  [[nodiscard]] InferSettings settings() const;
  /// Also those of InferReading.
  void get_property(guint id, GValue* value) const;
  /// Loads again where the new value asks for it.
  void set_property(GParamSpec* spec, guint id, const GValue* value);

  /// NULL→READY: the model is being loaded from now on. READY→NULL: waits for the loader.
  /// @throws Error(kBadOption) if the properties contradict each other.
  void open();
  void close();
  /// Loads the model file, in the background; what is in service stays until it is there.
  void reload() { load("reload"); }
  /// Back to the model that was replaced last. @return false if there is none.
  bool undo();
  /// The shadow becomes the model in service. @return false if there is none that works.
  bool promote();

  /// The frame of that time (ns) is good; kNoTime = the newest that did not pass. What comes of it
  /// is posted. @return false if no such frame is remembered.
  bool mark_good(std::uint64_t pts);

  /// From an application.
  void begin_part(const std::string& id) { parts_.begin(id, live_); }
  void end_part() { parts_.end(live_); }
  /// An event on its way up or down may ask for the same.
  void heard(GstEvent* event);

  /// The stream begins; live as upstream says.
  void begin(bool live);
  /// PLAYING again: the pause was no gap of the camera.
  void resume() {
    if (live_) engine_.health().begin(std::chrono::steady_clock::now());
  }
  /// What comes is not of the stream so far: after a flush, or with other caps.
  void forget();
  /// End of stream: what was taken is analysed and reported, within two seconds or not at all.
  void finish();
  /// The stream is over and forgotten.
  void end();
  [[nodiscard]] bool live() const noexcept { return live_; }
  /// Adds what one frame takes (measured at warm-up, then since) to upstream's answer, if frames of
  /// a live stream wait for their results. @param held  see FrameLatency::add_to().
  void add_latency(GstQuery* query, GstClockTime held) const;

  /// What uadpreproc is to know: the frames to cut and the model in service.
  [[nodiscard]] Demand demand(bool wanted, const InferenceOptions& options) const;

 private:
  /// @param why  for uad-model-changed; empty = the first one, which is no change.
  void load(const std::string& why);
  void load_shadow();
  /// What new values of the properties ask for.
  void follow(const InferSettings& before);
  void serve_from(const std::string& path);
  void on_loaded(const AnalyserPtr& analyser, const std::string& why);
  void on_load_failed(const std::exception_ptr& reason, bool old_in_service);
  void on_analysed(const AnalysisPtr& analysis);
  void tick();
  void watch(const std::string& path);
  void post(MessagePtr message) const;

  GstElement* element_;
  mutable std::mutex lock_;  // guards `settings_` and `watcher_`
  InferSettings settings_;
  ModelWatcher watcher_;
  ShadowReport shadow_report_;
  MarkReport mark_report_;
  PartReport parts_;
  FrameLatency latency_;
  std::atomic<bool> live_{false};
  std::atomic<guint32> last_heard_{GST_SEQNUM_INVALID};
  std::atomic<bool> awaits_file_{false};       // the first load failed, and the watch goes on
  Verdict last_verdict_ = Verdict::kUnscored;  // where analyses finish, one at a time
  std::unique_ptr<Ticker> ticker_;
  InferenceEngine engine_;  // last: its threads call back into all of the above
};

}  // namespace uad::gst

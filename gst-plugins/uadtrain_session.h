// SPDX-License-Identifier: LGPL-2.1-or-later
// The training of one uadtrain and what it tells the bus: everything that is not a buffer.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>

#include "core/base/engine/learning_engine.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/uadtrain_settings.h"

namespace uad::gst {

/// @note Thread-safe, except open() and close(), which belong to the state change.
class TrainSession {
 public:
  /// @param element  owns this session.
  explicit TrainSession(GstElement* element);

  [[nodiscard]] LearningEngine& engine() noexcept { return engine_; }
  [[nodiscard]] TrainSettings settings() const;
  void get_property(guint id, GValue* value) const;
  void set_property(GParamSpec* spec, guint id, const GValue* value);

  /// NULL→READY: the trainer is being made from now on. @throws Error(kBadOption, kNotFound) for
  /// settings that cannot work.
  void open();
  void close();

  /// From the property or from an event in the stream. Falling, it begins the fit; rising after
  /// one, another collection.
  void collect(bool now);
  /// Whether to keep this frame. @param live  then it never waits.
  bool wants_next(bool live);
  /// End of stream: collects no more; waits for the model if hold-eos says so.
  void finish();
  [[nodiscard]] StructurePtr stats() const;

 private:
  void on_progress(double fraction, const std::string& stage);
  void on_figure(const std::string& name, double value);
  void on_forecast(const MemoryForecast& forecast);
  void on_full(std::size_t frames);
  void on_ready(const Trained& trained);
  void follow_collect(bool before, bool after);
  void on_failed(const std::exception_ptr& reason);
  void post(GstStructure* structure) const;

  GstElement* element_;
  mutable std::mutex lock_;  // guards `settings_`
  TrainSettings settings_;
  std::atomic<bool> eos_waits_{false};
  std::chrono::steady_clock::time_point fit_began_;  // the engine's thread
  std::chrono::steady_clock::time_point told_;       // the same
  std::pair<std::string, double> figure_;            // the same: the newest of this fit; "" = none
  LearningEngine engine_;  // last: its thread calls back into all of the above
};

}  // namespace uad::gst

// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of uadinfer.
#pragma once

#include <string>

#include "core/base/engine/inference_engine.h"
#include "core/base/engine/part_tracker.h"
#include "gst-plugins/common/enums.h"
#include "gst-plugins/common/properties.h"

namespace uad::gst {

struct InferSettings {
  std::string model;
  std::string device = ExecutionOptions{}.device;
  Precision precision = Precision::kModel;
  int threads = ExecutionOptions{}.threads;
  LivePolicy live_policy = LivePolicy::kAuto;
  int frames_in_flight = 1;
  int batch_size = BatchLimits{}.frames;
  int batch_timeout_ms = static_cast<int>(BatchLimits{}.wait.count());
  int deadline_ms = static_cast<int>(DeadlineOptions{}.time.count());
  int full_coverage = static_cast<int>(DeadlineOptions{}.within);
  int interval = InferenceOptions{}.interval;
  int max_age_ms = static_cast<int>(InferenceOptions{}.max_age.count());
  double warn_threshold = ThresholdOverrides{}.warn;
  double reject_threshold = ThresholdOverrides{}.reject;
  double min_area = ThresholdOverrides{}.min_area;
  std::string product;
  Messages messages = Messages::kAll;
  std::string tags;
  bool watch = false;
  bool keep_previous = true;
  std::string shadow;
  std::string shadow_log;
  PartBoundary part_boundary = PartOptions{}.boundary;
  int part_period_ms = static_cast<int>(PartOptions{}.period.count());
  double part_motion = PartOptions{}.motion;
  std::string part_rule = "1/1";
  bool part_hysteresis = VerdictRule{}.hysteresis;
  int part_hold_ms = static_cast<int>(VerdictRule{}.hold.count());
  std::string evidence;
  int remember = 32;
  std::string kept_defects;
  int white_level = kFullWhite;

  [[nodiscard]] ExecutionOptions execution() const;
  [[nodiscard]] InferenceOptions inference(bool live) const;
  [[nodiscard]] bool every(bool live) const;
  /// Whether `other` needs the model to be loaded again.
  [[nodiscard]] bool same_model(const InferSettings& other) const;
  /// Whether `shadow` names the file of `model`, which leaves nothing to compare.
  [[nodiscard]] bool shadow_is_model() const;
  /// Frames to remember for marking.
  [[nodiscard]] std::size_t frames_to_remember() const;
};

const Properties<InferSettings>& infer_properties();

/// Read-only properties beyond the table.
enum class InferReading : guint { kActiveDevice = 1, kStats = 2 };
/// Ids follow those of the table. Called once, from class_init.
void install_infer_readings(GObjectClass* klass);
void read_infer(const InferenceEngine& engine, InferReading reading, GValue* to);

}  // namespace uad::gst

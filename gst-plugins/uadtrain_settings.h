// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of uadtrain.
#pragma once

#include <map>
#include <string>

#include "core/base/backend.h"
#include "core/base/engine/learning_engine.h"
#include "gst-plugins/common/properties.h"

namespace uad::gst {

struct TrainSettings {
  std::string method = "patchcore";
  std::map<std::string, std::string> options;
  std::string output;
  std::string weights_dir;
  std::string continue_from;
  int frames = 0;
  int every = 1;
  bool collect = true;
  double min_difference = 0.2;
  double holdout = 0.2;
  double false_reject_rate = 0;
  double confidence = 0.95;
  int part_frames = 1;
  int memory_budget_mb = 1024;
  int seed = 3;
  bool hold_eos = true;
  int white_level = kFullWhite;

  [[nodiscard]] LearningPlan plan() const;
  [[nodiscard]] TrainerOptions trainer() const;
  /// @throws Error(kBadOption) with the fix, for what cannot work.
  void check() const;
};

const Properties<TrainSettings>& train_properties();

}  // namespace uad::gst

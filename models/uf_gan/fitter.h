// SPDX-License-Identifier: LGPL-2.1-or-later
// From good frames to the few crops that the networks learn from, and through the training.
// Source: specification, UF-GAN, sections 2 and 3.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/gradient/sample_store.h"
#include "core/gradient/training_loop.h"
#include "core/method.h"
#include "models/uf_gan/learner.h"
#include "models/uf_gan/settings.h"
#include "models/uf_gan/shots.h"

namespace uad::models::uf_gan {

class MuraFitter final : public Fitter {
 public:
  /// @throws Error(kBadOption)
  explicit MuraFitter(const FitContext& context);
  /// @param tiles  whole frames in their own size. @throws Error(kBadOption) if one is smaller than
  /// the window.
  void observe(const Tiles& tiles) override;
  [[nodiscard]] bool reads_frame_means() const override { return true; }
  /// Labelled tiles are judged now and then; others are left out.
  void validate(const Tiles& tiles) override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override;
  [[nodiscard]] std::int64_t peak_bytes(std::int64_t times) const override;

 private:
  void begin();
  void choose();
  void choose_judged();
  [[nodiscard]] LoopOptions loop_options() const;

  FitContext context_;
  Settings settings_;
  SampleStore crops_;           // of every frame; those chosen once it has begun
  std::vector<Levels> levels_;  // of every frame
  std::vector<float> means_;    // of every frame; of those chosen once it has begun
  SampleStore judged_;
  std::vector<float> judged_means_;         // of each sample to judge by
  std::vector<std::string> judged_frames_;  // names, the same
  std::optional<MuraLearner> learner_;      // from the first finish() on
  std::optional<TrainingLoop> loop_;        // the same
};

}  // namespace uad::models::uf_gan

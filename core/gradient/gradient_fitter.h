// SPDX-License-Identifier: LGPL-2.1-or-later
// A fitter out of a learner and its loop: what every gradient method returns from `make_fitter`.
#pragma once

#include <memory>
#include <optional>

#include "core/gradient/learner.h"
#include "core/gradient/sample_store.h"
#include "core/gradient/training_loop.h"
#include "core/method.h"

namespace uad {

/// Which of the images the steps see; the others are left out.
enum class LearnsFrom { kGood, kAll, kDefective };

class GradientFitter final : public Fitter {
 public:
  GradientFitter(const FitContext& context, LearnsFrom from, LoopOptions options,
                 std::unique_ptr<Learner> learner);
  void observe(const Tiles& tiles) override;
  void validate(const Tiles& tiles) override;
  /// Where nothing was given to validate on and the loop wants it, a fifth of what was observed is
  /// taken for that (specification, STFPM, section 4).
  /// @throws Error(kBadOption) if what was observed lacks a kind of images, or is too little.
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override;
  [[nodiscard]] std::int64_t peak_bytes(std::int64_t times) const override;

 private:
  void check_labels() const;
  void hold_out_for_validation();

  FitContext context_;
  LearnsFrom from_;
  bool labelled_ = false;  // what was observed
  LoopOptions options_;
  std::unique_ptr<Learner> learner_;
  SampleStore training_;
  SampleStore validation_;
  std::optional<TrainingLoop> loop_;  // from the first finish() on
};

}  // namespace uad

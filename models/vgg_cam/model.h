// SPDX-License-Identifier: LGPL-2.1-or-later
// The classifier once it has learnt: probability of a defect, and where it is.
#pragma once

#include <memory>
#include <string>

#include "core/anomaly_model.h"
#include "models/backbones/backbone.h"
#include "models/vgg_cam/network.h"
#include "models/vgg_cam/settings.h"

namespace uad::models::vgg_cam {

/// Score: probability of class Anomaly. Map: its heat (see heat_maps()) where that is 0.5 or more,
/// fading with it below, so that good images have low maps.
class Classifier final : public AnomalyModel {
 public:
  /// @param backbone  with the single layer "layer3"; shared with nobody.
  /// @param sha256  of the weight file that training began with; "" = not known.
  Classifier(const Settings& settings, std::unique_ptr<Backbone> backbone, const Head& head,
             const std::string& sha256);
  /// @throws Error(kBadFile) if a tensor is missing, has another shape, or is not finite.
  static std::unique_ptr<Classifier> load(const CheckpointReader& in, const Execution& execution);

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override;
  void save(CheckpointWriter& out) const override;

 private:
  ModelTraits traits_;
  Settings settings_;
  std::unique_ptr<Backbone> backbone_;
  Head head_;
};

}  // namespace uad::models::vgg_cam

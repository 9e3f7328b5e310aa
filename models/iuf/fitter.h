// SPDX-License-Identifier: LGPL-2.1-or-later
// From good frames of one or several products to a model that knows them, and those of the model
// that it started from. Source: specification, IUF, section 7.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/gradient/sample_store.h"
#include "core/gradient/training_loop.h"
#include "core/method.h"
#include "models/iuf/learner.h"
#include "models/iuf/model.h"
#include "models/iuf/settings.h"

namespace uad::models::iuf {

class IufFitter final : public Fitter {
 public:
  /// @throws Error(kBadOption); what finding the backbone throws.
  explicit IufFitter(const FitContext& context);
  /// @throws Error(kBadOption) for a product that the model to start from knows already, or one
  /// more than it has room for.
  void observe(const Tiles& tiles) override;
  void validate(const Tiles& tiles) override;
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override;
  [[nodiscard]] std::int64_t peak_bytes(std::int64_t times) const override;

 private:
  [[nodiscard]] at::Tensor classes_of(const Tiles& tiles);
  [[nodiscard]] std::int64_t class_of(const std::string& product);
  void add(const Tiles& tiles, SampleStore& store);
  void begin(const FitControl& control);
  [[nodiscard]] Knowledge first_knowledge() const;
  [[nodiscard]] LoopOptions loop_options() const;
  void remember(Knowledge& knowledge) const;
  void find_levels(Knowledge& knowledge, const FitControl& control) const;

  FitContext context_;
  Settings settings_;
  const IufModel* start_;  // of the context; null = from nothing
  std::optional<Features> features_;
  std::vector<std::string> products_;  // all that the model will know
  std::size_t known_ = 0;              // of them, those that it starts with
  SampleStore training_;               // labels are indices of products
  SampleStore validation_;
  at::Tensor kept_features_;           // of training_, see IufLearner::Task
  std::optional<IufLearner> learner_;  // from the first finish() on
  std::optional<TrainingLoop> loop_;   // the same
};

}  // namespace uad::models::iuf

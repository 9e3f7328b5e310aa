// SPDX-License-Identifier: LGPL-2.1-or-later
// A method small enough to know every score by hand: the anomaly is the distance of a pixel's red
// value from a level.
#pragma once

#include <ATen/ATen.h>

#include "core/method.h"

namespace uad::test {

class LevelModel final : public AnomalyModel {
 public:
  LevelModel(at::Tensor level, bool from_map) : level_(std::move(level)) {
    traits_.score_is_map_maximum = from_map;
  }
  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    at::Tensor map = (tiles.images.narrow(1, 0, 1) - level_).abs().contiguous();
    if (tiles.keep.defined()) map = map * tiles.keep;
    return {map, map.flatten(1).amax(1)};
  }
  void save(CheckpointWriter& out) const override { out.add("level", level_); }

 private:
  at::Tensor level_;
  ModelTraits traits_;
};

class LevelFitter final : public Fitter {
 public:
  void observe(const Tiles& tiles) override {
    sum_ += tiles.images.narrow(1, 0, 1).mean().item<double>();
    ++count_;
  }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& /*control*/) override {
    return std::make_unique<LevelModel>(at::full({1}, sum_ / count_, at::kFloat), false);
  }

 private:
  double sum_ = 0;
  int count_ = 0;
};

inline Method level_method() {
  Method method;
  method.name = "level";
  method.default_input.resize = {16, 16};
  method.make_fitter = [](const FitContext&) { return std::make_unique<LevelFitter>(); };
  method.load = [](const CheckpointReader& in, const Execution&) -> std::unique_ptr<AnomalyModel> {
    return std::make_unique<LevelModel>(in.get("level", at::kFloat, {1}), false);
  };
  return method;
}

}  // namespace uad::test

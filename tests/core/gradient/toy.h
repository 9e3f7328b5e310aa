// SPDX-License-Identifier: LGPL-2.1-or-later
// A learner small enough to follow by hand: one weight that is to become the mean of all pixels.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include <ATen/ATen.h>

#include "core/gradient/learner.h"
#include "core/gradient/optimiser.h"
#include "core/gradient/sample_store.h"
#include "tests/core/stub_method.h"

namespace uad::test {

class ToyLearner final : public Learner {
 public:
  ToyLearner() : optimiser_({weight_}, {}) {}

  Figures step(const Batch& batch, double learning_rate) override {
    seen.push_back(batch.images.clone());
    at::Tensor loss = (batch.images - weight_).square().mean();
    if (before_step) loss = before_step(loss);
    descend(loss, optimiser_, learning_rate);
    return {{"loss", loss.item<double>()},
            {"share", batch.labels.to(at::kDouble).mean().item<double>()}};
  }
  Figures validate(const Batch& batch) override {
    ++validated;
    return {{"error", (batch.images - weight_).square().mean().item<double>() * error_factor}};
  }
  void begin_validation() override {
    if (at_validation) at_validation();
  }
  Figures end_validation() override {
    if (ranks.empty()) return {};
    const std::size_t round = std::min(rounds_++, ranks.size() - 1);
    return {{"rank", ranks[round]}};
  }
  TensorMap state() override {
    TensorMap all = optimiser_.state();
    all["weight"] = weight_;
    return all;
  }
  std::unique_ptr<AnomalyModel> model() override {
    return std::make_unique<LevelModel>(weight_.detach().clone(), false);
  }
  [[nodiscard]] std::string weights_sha256() const override { return weights; }
  [[nodiscard]] std::int64_t step_bytes(std::int64_t n, std::int64_t h,
                                        std::int64_t w) const override {
    return n * h * w;
  }
  [[nodiscard]] double weight() const { return weight_.item<double>(); }

  std::vector<at::Tensor> seen;  // images of every step
  int validated = 0;
  std::vector<double> ranks;  // told after each validation, the last one again and again
  std::function<void()> at_validation;
  double error_factor = 1;
  std::string weights;  // said of a network that is not trained
  std::function<at::Tensor(const at::Tensor&)> before_step;

 private:
  std::size_t rounds_ = 0;
  at::Tensor weight_ = at::zeros({1}).requires_grad_(true);
  Sgd optimiser_;
};

/// Flat grey tiles with these levels (0 … 1), 4x4 pixels.
inline Tiles flat_tiles(const std::vector<float>& levels) {
  Tiles tiles;
  std::vector<at::Tensor> images;
  for (const float level : levels) images.push_back(at::full({1, 3, 4, 4}, level));
  tiles.images = at::cat(images);
  return tiles;
}

/// Mean 0, deviation 1: levels stay as they are.
inline InputSpec plain_input() {
  InputSpec input;
  input.resize = {4, 4};
  input.mean = {0, 0, 0};
  input.std = {1, 1, 1};
  return input;
}

inline SampleStore flat_store(const std::vector<float>& levels) {
  SampleStore store(plain_input());
  if (!levels.empty()) store.add(flat_tiles(levels));
  return store;
}

}  // namespace uad::test

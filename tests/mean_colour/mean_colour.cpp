// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/mean_colour/mean_colour.h"

#include <ATen/ATen.h>

#include "core/base/error.h"
#include "core/exec/thread_pool.h"
#include "core/patch_map.h"

namespace uad::models {

namespace {

// Mean colours of cells of `side` pixels: float32 [N, 3, h, w] on the CPU.
at::Tensor cell_colours(const Tiles& tiles, std::int64_t side) {
  return at::avg_pool2d(tiles.images.to(at::kCPU), {side, side}, {side, side}, {0, 0},
                        /*ceil_mode=*/true, /*count_include_pad=*/false);
}

class MeanColourModel final : public AnomalyModel {
 public:
  MeanColourModel(const at::Tensor& colour, std::int64_t side)
      : colour_(colour), side_(side), traits_{.score_is_map_maximum = true} {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    const at::Tensor off = cell_colours(tiles, side_) - colour_.view({1, 3, 1, 1});
    const at::Tensor distances = off.norm(2, 1);
    const at::Tensor kept = kept_patches(tiles.keep, distances.size(1), distances.size(2));
    Prediction prediction;
    prediction.map = anomaly_maps(distances, kept, tiles);
    prediction.score = prediction.map.flatten(1).amax(1);
    return prediction;
  }

  void save(CheckpointWriter& out) const override { out.add("colour", colour_); }

 private:
  at::Tensor colour_;  // float32 [3]
  std::int64_t side_;
  ModelTraits traits_;
};

class MeanColourFitter final : public Fitter {
 public:
  explicit MeanColourFitter(const FitContext& context)
      : side_(context.options.at("cell").get<std::int64_t>()) {}

  void observe(const Tiles& tiles) override {
    const ComputeScope scope;
    sum_ += cell_colours(tiles, side_).mean({2, 3}).sum(0);
    count_ += tiles.images.size(0);
  }

  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const ProgressFn& /*progress*/,
                                                     std::stop_token /*stop*/) override {
    if (count_ == 0) {
      throw Error(ErrorCode::kBadOption, "A mean colour needs at least 1 good image. Give more.");
    }
    return std::make_unique<MeanColourModel>(sum_ / count_, side_);
  }

 private:
  std::int64_t side_;
  std::int64_t count_ = 0;
  at::Tensor sum_ = at::zeros({3});
};

}  // namespace

Method mean_colour_method() {
  return {
      .name = "mean-colour",
      .options = {{.name = "cell",
                   .type = OptionType::kInt,
                   .default_value = 16,
                   .help =
                       "side of the cells whose colour is looked at, in pixels after the resize",
                   .minimum = 1,
                   .maximum = 1024}},
      .default_input = {},
      .make_fitter =
          [](const FitContext& context) { return std::make_unique<MeanColourFitter>(context); },
      .load = [](const CheckpointReader& in, const Execution&) -> std::unique_ptr<AnomalyModel> {
        return std::make_unique<MeanColourModel>(in.get("colour", at::kFloat, {3}),
                                                 in.options().at("cell").get<std::int64_t>());
      }};
}

}  // namespace uad::models

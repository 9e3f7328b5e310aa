// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/mean_colour/mean_colour.h"

#include <ATen/ATen.h>

#include "core/base/error.h"
#include "core/exec/thread_pool.h"
#include "core/patch_map.h"

namespace uad::models {

namespace {

struct Cells {
  at::Tensor colours;  // float32 [N, 3, h, w] on the CPU, of the pixels that are not ignored
  at::Tensor kept;     // bool [N, h, w], or undefined: all
};

// Cells of about `side` pixels, on the grid that kept_patches() has too.
Cells cells_of(const Tiles& tiles, std::int64_t side) {
  const at::Tensor images = tiles.images.to(at::kCPU);
  const std::int64_t h = (images.size(2) + side - 1) / side;
  const std::int64_t w = (images.size(3) + side - 1) / side;
  if (!tiles.keep.defined()) return {at::adaptive_avg_pool2d(images, {h, w}), {}};
  const at::Tensor keep = tiles.keep.to(at::kCPU);
  const at::Tensor weights = keep.to(at::kFloat);
  return {at::adaptive_avg_pool2d(images * weights, {h, w}) /
              at::adaptive_avg_pool2d(weights, {h, w}).clamp_min(1e-6),
          kept_patches(keep, h, w)};
}

class MeanColourModel final : public AnomalyModel {
 public:
  MeanColourModel(const at::Tensor& colour, std::int64_t side)
      : colour_(colour), side_(side), traits_{.score_is_map_maximum = true} {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    const Cells cells = cells_of(tiles, side_);
    const at::Tensor distances = (cells.colours - colour_.view({1, 3, 1, 1})).norm(2, 1);
    Prediction prediction;
    prediction.map = anomaly_maps(distances, cells.kept, tiles);
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
    const Cells cells = cells_of(tiles, side_);
    const at::Tensor colours = cells.colours.permute({0, 2, 3, 1}).reshape({-1, 3});
    const at::Tensor seen = cells.kept.defined() ? colours.index({cells.kept.flatten()}) : colours;
    sum_ += seen.sum(0);
    count_ += seen.size(0);
  }

  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& /*control*/) override {
    const ComputeScope scope;
    if (count_ == 0) {
      throw Error(ErrorCode::kBadOption,
                  "A mean colour needs at least 1 good image with pixels that are not ignored, but "
                  "none was seen. Give more images, or ignore less.");
    }
    return std::make_unique<MeanColourModel>(sum_ / count_, side_);
  }

 private:
  std::int64_t side_;
  std::int64_t count_ = 0;  // cells
  at::Tensor sum_ = at::zeros({3});
};

std::unique_ptr<AnomalyModel> load_mean_colour(const CheckpointReader& in, const Execution&) {
  const at::Tensor colour = in.get("colour", at::kFloat, {3});
  if (!at::isfinite(colour).all().item<bool>()) {
    throw Error(ErrorCode::kBadFile,
                "The mean colour in " + in.file_name() +
                    " holds values that are not numbers. Train the model again.");
  }
  return std::make_unique<MeanColourModel>(colour, in.options().at("cell").get<std::int64_t>());
}

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
      .load = load_mean_colour};
}

}  // namespace uad::models

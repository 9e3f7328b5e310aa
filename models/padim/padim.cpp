// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/padim.h"

#include <algorithm>
#include <array>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/distributed/exchange.h"
#include "core/distributed/sharing_fitter.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "core/patch_map.h"
#include "models/backbones/backbones.h"
#include "models/padim/gaussians.h"
#include "models/padim/lanes.h"
#include "models/padim/reduction.h"

namespace uad::models {

namespace {

using nlohmann::json;

std::vector<OptionSpec> padim_options() {
  return {
      backbone_option(),
      layers_option("layer1,layer2,layer3"),
      {.name = "n_features",
       .type = OptionType::kInt,
       .help = "numbers that describe a position; time and model grow with its square [100; 550 "
               "for wide_resnet50_2]",
       .minimum = 1,
       .maximum = 4096,
       .aliases = {"k"}},
      {.name = "reduction",
       .default_value = "sample",
       .help = "where these come from: channels drawn at random (sample), a third from each layer "
               "(h_sample), or random mixtures (ortho, svd_ortho, gaussian)",
       .choices = padim::reduction_names()},
      {.name = "positions",
       .default_value = "per-window",
       .help = "with windows: statistics for each window (per-window) or the same for all (shared, "
               "for parts that look alike everywhere)",
       .choices = {"per-window", "shared"}},
  };
}

std::int64_t number_of_features(const json& options, const std::vector<LayerInfo>& layers) {
  if (options.at("n_features").is_number()) return options.at("n_features").get<std::int64_t>();
  return std::min<std::int64_t>(options.at("backbone") == "wide_resnet50_2" ? 550 : 100,
                                total_channels(layers));
}

/// What both the fit and the model do with images.
struct Features {
  std::shared_ptr<const Backbone> backbone;
  padim::Reduction reduction;

  /// float32 [N, features, h, w].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& images) const {
    return reduction(backbone->features(images));
  }
};

class PadimModel final : public AnomalyModel {
 public:
  /// @param gaussians  of every window, or one for all of them.
  PadimModel(ModelTraits traits, Features features, std::vector<padim::Gaussians> gaussians)
      : traits_(std::move(traits)),
        features_(std::move(features)),
        gaussians_(std::move(gaussians)) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    const at::Tensor x = features_(tiles.images);
    check(x, tiles);
    const at::Tensor distances =
        gaussians_.size() == 1 ? gaussians_.front().distances(x) : distances_by_window(x, tiles);
    const at::Tensor kept = kept_patches(tiles.keep, x.size(2), x.size(3));
    Prediction prediction;
    prediction.map = anomaly_maps(distances, kept, tiles);
    prediction.score = prediction.map.flatten(1).amax(1);
    return prediction;
  }

  [[nodiscard]] const Features& features() const noexcept { return features_; }
  [[nodiscard]] const std::vector<padim::Gaussians>& gaussians() const noexcept {
    return gaussians_;
  }

  void save(CheckpointWriter& out) const override {
    std::vector<at::Tensor> means;
    std::vector<at::Tensor> factors;
    std::vector<std::int64_t> images;
    for (const padim::Gaussians& gaussians : gaussians_) {
      images.push_back(gaussians.images());
      means.push_back(gaussians.mean());
      factors.push_back(gaussians.factor());
    }
    out.add("images", at::tensor(images, at::kLong));
    out.add("mean", at::stack(means));
    out.add("factor", at::stack(factors));
    features_.reduction.save(out);
    save_backbone(*features_.backbone, out);
  }

 private:
  void check(const at::Tensor& x, const Tiles& tiles) const {
    const padim::Gaussians& gaussians = gaussians_.front();
    const auto windows = static_cast<std::int64_t>(gaussians_.size());
    const bool fits = x.size(2) == gaussians.height() && x.size(3) == gaussians.width() &&
                      (windows == 1 || windows == tiles.windows);
    if (fits) return;
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The model has statistics for {} window(s) of {} x {} positions, but "
                            "the frame gives {} of {} x {}. PaDiM needs frames of the shape it was "
                            "trained on: set the same roi, or retrain.",
                            windows, gaussians.width(), gaussians.height(), tiles.windows,
                            x.size(3), x.size(2)));
  }

  [[nodiscard]] at::Tensor distances_by_window(const at::Tensor& x, const Tiles& tiles) const {
    std::vector<at::Tensor> distances;
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      const std::int64_t window = (tiles.first_window + i) % tiles.windows;
      distances.push_back(gaussians_[window].distances(x.narrow(0, i, 1)));
    }
    return at::cat(distances);
  }

  ModelTraits traits_;
  Features features_;
  std::vector<padim::Gaussians> gaussians_;
};

ModelTraits make_traits(const json& options, std::string backbone_sha256) {
  return {.score_is_map_maximum = true,
          .backbone = options.at("backbone").get<std::string>(),
          .backbone_sha256 = std::move(backbone_sha256)};
}

class PadimFitter final : public SharingFitter {
 public:
  explicit PadimFitter(const FitContext& context)
      : options_(context.options), device_(compute_options(context.execution).device()) {
    if (const auto* start = dynamic_cast<const PadimModel*>(context.start.get())) {
      features_ = start->features();
      backbone_sha256_ = start->traits().backbone_sha256;
      for (const padim::Gaussians& one : start->gaussians()) fits_.emplace_back(one);
      continues_ = true;
      return;
    }
    auto [backbone, sha256] = find_backbone(context);
    const auto& layers = backbone->layers();
    features_ = Features{backbone,
                         {options_.at("reduction").get<std::string>(), layers,
                          number_of_features(options_, layers), context.seed}};
    backbone_sha256_ = std::move(sha256);
  }

  void observe(const Tiles& tiles) override {
    const ComputeScope scope;
    remember_shape(tiles);
    const at::Tensor x = (*features_)(tiles.images);
    if (fits_.size() == 1) return fits_.front().add(x);
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      fits_[(tiles.first_window + i) % tiles.windows].add(x.narrow(0, i, 1));
    }
  }

  // The images of a model that it started from would count once for each process.
  [[nodiscard]] bool shares_frames() const override { return !continues_; }

  void gather(Communicator& processes) override {
    const ComputeScope scope;
    const nlohmann::json shape{{"shape of the images", shape_}};
    require_same(shape, processes);
    for (padim::GaussianFit& fit : fits_) fit.gather(processes);
  }

  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override {
    if (fits_.empty()) fits_.resize(1);
    while (finished_.size() < fits_.size()) {  // those of a cancelled call are there already
      const ComputeScope scope;
      finished_.push_back(fits_[finished_.size()].finish(device_, control.cancel));
      if (control.progress) {
        control.progress(static_cast<double>(finished_.size()) / static_cast<double>(fits_.size()),
                         "statistics");
      }
    }
    return std::make_unique<PadimModel>(make_traits(options_, backbone_sha256_), *features_,
                                        std::move(finished_));
  }

  [[nodiscard]] std::int64_t peak_bytes(std::int64_t) const override {
    std::int64_t sum = 0;
    for (const padim::GaussianFit& fit : fits_) sum += fit.peak_bytes();
    return sum;
  }

 private:
  // Every image must have the same positions.
  void remember_shape(const Tiles& tiles) {
    const auto now = std::array{tiles.images.size(2), tiles.images.size(3), tiles.windows};
    const std::int64_t wanted = options_.at("positions") == "shared" ? 1 : tiles.windows;
    if (fits_.empty()) fits_.resize(static_cast<std::size_t>(wanted));
    if (shape_[0] == 0) shape_ = now;
    if (now == shape_ && wanted == std::ssize(fits_)) return;
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("PaDiM keeps statistics of every position, so all good images need one "
                    "shape: the first gave {} window(s) of {}x{}, another {} of {}x{}. Give "
                    "both sides in --resize, without --keep-aspect.",
                    shape_[2], shape_[1], shape_[0], now[2], now[1], now[0]));
  }

  json options_;
  c10::Device device_;  // of the model to come; the statistics are made on the CPU
  std::optional<Features> features_;
  std::string backbone_sha256_;
  std::array<std::int64_t, 3> shape_{};  // of the first images: height, width, windows
  std::vector<padim::GaussianFit> fits_;
  bool continues_ = false;  // from the statistics of a model
  std::vector<padim::Gaussians> finished_;
};

std::unique_ptr<AnomalyModel> load_padim(const CheckpointReader& in, const Execution& execution) {
  const json& options = in.options();
  std::shared_ptr<const Backbone> backbone = load_backbone(in, execution);
  padim::Reduction reduction(in, backbone->layers());
  const std::int64_t size = reduction.features();
  const at::Tensor mean = in.get("mean", at::kFloat, {-1, -1, -1, size});
  const at::Tensor images = in.get("images", at::kLong, {mean.size(0)});
  const at::Tensor factor = in.get(
      "factor", at::kHalf, {mean.size(0), mean.size(1), mean.size(2), padim::triangle(size)});
  if (mean.numel() == 0 || images.min().item<std::int64_t>() < 2 ||
      !at::isfinite(mean).all().item<bool>() || !at::isfinite(factor).all().item<bool>()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("The statistics in {} are empty or hold values that are not numbers. "
                            "Train the model again.",
                            in.file_name()));
  }
  std::vector<padim::Gaussians> gaussians;
  for (std::int64_t i = 0; i < mean.size(0); ++i) {
    gaussians.emplace_back(mean[i], factor[i], images[i].item<std::int64_t>(),
                           compute_options(execution).device());
  }
  return std::make_unique<PadimModel>(make_traits(options, ""),
                                      Features{std::move(backbone), std::move(reduction)},
                                      std::move(gaussians));
}

}  // namespace

Method padim_method() {
  return {.name = "padim",
          .options = padim_options(),
          .default_input = {},
          .make_fitter =
              [](const FitContext& context) { return std::make_unique<PadimFitter>(context); },
          .load = load_padim,
          .incremental = true};
}

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/patchcore.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/distributed/sharing_fitter.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "core/patch_map.h"
#include "models/backbones/backbones.h"
#include "models/patchcore/neighbours.h"
#include "models/patchcore/patch_store.h"
#include "models/patchcore/settings.h"

namespace uad::models {

namespace {

using nlohmann::json;

class PatchCoreModel final : public AnomalyModel {
 public:
  PatchCoreModel(ModelTraits traits, const patchcore::Settings& settings,
                 std::shared_ptr<const Backbone> backbone, const at::Tensor& bank)
      : traits_(std::move(traits)),
        settings_(settings),
        backbone_(std::move(backbone)),
        bank_(bank) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    const patchcore::Embedding embedding = settings_.embed(backbone_->features(tiles.images));
    const auto [distance, index] = bank_.nearest(embedding.patches);
    const std::int64_t count = tiles.images.size(0);
    const at::Tensor distances = distance.to(at::kCPU).view({count, -1});
    const at::Tensor indices = index.to(at::kCPU).view({count, -1});
    const at::Tensor patches = embedding.patches.view({count, distances.size(1), -1});
    const at::Tensor kept = kept_patches(tiles.keep, embedding.height, embedding.width);
    Prediction prediction;
    const bool squared = settings_.flavour == patchcore::Flavour::kAmazon;
    const at::Tensor values = squared ? distances.square() : distances;
    prediction.map =
        anomaly_maps(values.view({count, embedding.height, embedding.width}), kept, tiles,
                     settings_.flavour == patchcore::Flavour::kAnomalib ? MapStyle::kAnomalib
                                                                        : MapStyle::kSmooth);
    prediction.score = at::zeros({count}, at::kFloat);
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor kept_row = kept.defined() ? kept[i].flatten().to(at::kCPU) : kept;
      prediction.score[i] = score(patches[i], distances[i], indices[i], kept_row);
    }
    return prediction;
  }

  [[nodiscard]] const at::Tensor& bank() const noexcept { return bank_.vectors(); }
  [[nodiscard]] const std::shared_ptr<const Backbone>& backbone() const noexcept {
    return backbone_;
  }

  void save(CheckpointWriter& out) const override {
    out.add("bank", bank_.vectors().to(at::kCPU, settings_.stored_type));
    save_backbone(*backbone_, out);
  }

 private:
  // Score of one image; 0 if all of it is ignored.
  [[nodiscard]] double score(const at::Tensor& patches, const at::Tensor& distances,
                             const at::Tensor& indices, const at::Tensor& kept) const {
    const at::Tensor seen = kept.defined() ? at::where(kept, distances, -1.0F) : distances;
    const auto farthest = seen.argmax().item<std::int64_t>();
    const auto distance = seen[farthest].item<float>();
    if (distance < 0) return 0;
    const double score = patchcore::image_score(bank_, patches[farthest], distance,
                                                indices[farthest].item<std::int64_t>(),
                                                settings_.neighbours, settings_.reweight);
    return settings_.flavour == patchcore::Flavour::kAmazon ? score * distance : score;
  }

  ModelTraits traits_;
  patchcore::Settings settings_;
  std::shared_ptr<const Backbone> backbone_;  // the fitter made it, and may still hold it
  patchcore::Bank bank_;
};

ModelTraits make_traits(const json& options, std::string backbone_sha256) {
  return {.backbone = options.at("backbone").get<std::string>(),
          .backbone_sha256 = std::move(backbone_sha256)};
}

class PatchCoreFitter final : public SharingFitter {
 public:
  explicit PatchCoreFitter(const FitContext& context)
      : PatchCoreFitter(context, dynamic_cast<const PatchCoreModel*>(context.start.get())) {}

  void observe(const Tiles& tiles) override {
    const ComputeScope scope;
    const patchcore::Embedding embedding =
        settings_.embed(fitted_.backbone->features(tiles.images));
    const at::Tensor kept = kept_patches(tiles.keep, embedding.height, embedding.width);
    at::Tensor patches = embedding.patches;
    if (kept.defined()) patches = patches.index({kept.flatten().to(patches.device())});
    patches_.add(patches);
  }

  // The patches of a model that it started from would be there once for each process.
  [[nodiscard]] bool shares_frames() const override { return !continues_; }

  void gather(Communicator& processes) override {
    patches_.gather(settings_.dimension(fitted_.backbone->layers()), processes);
  }

  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl& control) override {
    const auto share = static_cast<double>(patches_.count()) * settings_.percent / 100;
    const std::int64_t count = patches_.bound() > 0 ? std::min(patches_.bound(), patches_.count())
                                                    : static_cast<std::int64_t>(share);
    if (count < 1) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("{} patches of good images were seen, and k = {} percent of them is "
                              "no patch at all. Give more images, or raise k.",
                              patches_.count(), settings_.percent));
    }
    at::Tensor bank;
    {
      const ComputeScope scope;
      bank = patches_.select(count, control);
    }
    // What is stored is what scores, so that a model scores the same before saving and after.
    bank = bank.to(settings_.stored_type).to(at::kFloat);
    return std::make_unique<PatchCoreModel>(make_traits(options_, fitted_.sha256), settings_,
                                            fitted_.backbone, bank.to(device_));
  }

  [[nodiscard]] std::int64_t peak_bytes(std::int64_t times) const override {
    return patches_.peak_bytes(patches_.count() * times,
                               patches_.bound() > 0 ? 1 : settings_.percent / 100);
  }

 private:
  PatchCoreFitter(const FitContext& context, const PatchCoreModel* start)
      : options_(context.options),
        settings_(patchcore::parse_settings(options_)),
        device_(compute_options(context.execution).device()),
        fitted_(start != nullptr
                    ? FittedBackbone{start->backbone(), start->traits().backbone_sha256}
                    : find_backbone(context)),
        patches_(settings_.flavour, context.seed, bound(settings_, start)) {
    continues_ = start != nullptr;
    if (continues_) patches_.add(start->bank());
  }

  // A model that goes on learning keeps its size.
  static std::int64_t bound(const patchcore::Settings& settings, const PatchCoreModel* start) {
    return settings.bank_size > 0 || start == nullptr ? settings.bank_size : start->bank().size(0);
  }

  json options_;
  patchcore::Settings settings_;
  c10::Device device_;  // of the model to come; what is observed is kept on the CPU
  FittedBackbone fitted_;
  patchcore::PatchStore patches_;
  bool continues_ = false;  // from the patches of a model
};

std::unique_ptr<AnomalyModel> load_patchcore(const CheckpointReader& in,
                                             const Execution& execution) {
  const json& options = in.options();
  const patchcore::Settings settings = patchcore::parse_settings(options);
  std::shared_ptr<const Backbone> backbone = load_backbone(in, execution);
  const at::Tensor bank =
      in.get("bank", settings.stored_type, {-1, settings.dimension(backbone->layers())})
          .to(at::kFloat);
  if (bank.size(0) == 0 || !at::isfinite(bank).all().item<bool>()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("The memory bank in {} is empty or holds values that are not numbers. "
                            "Train the model again.",
                            in.file_name()));
  }
  return std::make_unique<PatchCoreModel>(make_traits(options, ""), settings, std::move(backbone),
                                          bank.to(compute_options(execution).device()));
}

}  // namespace

Method patchcore_method() {
  return {.name = "patchcore",
          .options = patchcore::option_specs(),
          .default_input = {},
          .make_fitter =
              [](const FitContext& context) { return std::make_unique<PatchCoreFitter>(context); },
          .load = load_patchcore,
          .incremental = true};
}

}  // namespace uad::models

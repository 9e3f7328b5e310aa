// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/patchcore.h"

#include <algorithm>
#include <optional>
#include <random>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/backbones/backbones.h"
#include "models/patchcore/coreset.h"
#include "models/patchcore/embedding.h"
#include "models/patchcore/neighbours.h"
#include "models/patchcore/principal_axes.h"
#include "models/patchcore/scoring.h"

namespace uad::models {

namespace {

using nlohmann::json;

std::vector<OptionSpec> patchcore_options() {
  return {
      {.name = "flavor",
       .default_value = "qi",
       .help = "variant of the method: qi (QualityInspector's)",
       .choices = {"qi"}},
      {.name = "backbone",
       .default_value = "resnet18",
       .help = "network that makes the features; gabor needs no weights",
       .choices = backbone_names()},
      {.name = "layers",
       .default_value = "layer2,layer3",
       .help = "layers of the backbone, finest first, separated by commas"},
      {.name = "upsampling",
       .default_value = "bilinear",
       .help = "how coarser layers reach the finest one's grid: nearest (QualityInspector) or "
               "bilinear (anomalib)",
       .choices = {"nearest", "bilinear"}},
      {.name = "reduction",
       .default_value = "coreset",
       .help = "how patches are thinned out: coreset (farthest first)",
       .choices = {"coreset"}},
      {.name = "k",
       .type = OptionType::kFloat,
       .default_value = 10.0,
       .help = "percent of the good patches kept in the memory bank; more is slower and finer",
       .minimum = 1e-4,
       .maximum = 100},
      {.name = "b",
       .type = OptionType::kInt,
       .default_value = 9,
       .help = "neighbours used in weighting the image score",
       .minimum = 1,
       .maximum = 1000},
      {.name = "reweight",
       .default_value = "paper",
       .help = "weighting of the image score: paper, qi (QualityInspector's formula) or none",
       .choices = {"paper", "qi", "none"}},
      {.name = "bank_precision",
       .default_value = "fp32",
       .help = "precision the memory bank is stored in; fp16 halves the file",
       .choices = {"fp32", "fp16"}},
  };
}

patchcore::Upsampling parse_upsampling(const json& options) {
  return options.at("upsampling") == "bilinear" ? patchcore::Upsampling::kBilinear
                                                : patchcore::Upsampling::kNearest;
}

class PatchCoreModel final : public AnomalyModel {
 public:
  PatchCoreModel(const json& options, std::shared_ptr<const Backbone> backbone,
                 const at::Tensor& bank, std::string backbone_sha256)
      : traits_{.backbone = options.at("backbone").get<std::string>(),
                .backbone_sha256 = std::move(backbone_sha256)},
        backbone_(std::move(backbone)),
        bank_(bank),
        neighbours_(options.at("b").get<std::int64_t>()),
        upsampling_(parse_upsampling(options)),
        reweight_(patchcore::parse_reweight(options.at("reweight").get<std::string>())),
        stored_type_(options.at("bank_precision") == "fp16" ? at::kHalf : at::kFloat) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const at::Tensor& images,
                                   const at::Tensor& keep) const override {
    const ComputeScope scope;
    const patchcore::Embedding embedding =
        patchcore::embed(backbone_->features(images), upsampling_);
    const auto [distance, index] = bank_.nearest(embedding.patches);
    const at::Tensor kept = patchcore::kept_patches(keep, embedding.height, embedding.width);

    const std::int64_t count = images.size(0);
    const at::Tensor distances = distance.to(at::kCPU).view({count, -1});
    const at::Tensor indices = index.to(at::kCPU).view({count, -1});
    const at::Tensor patches = embedding.patches.view({count, distances.size(1), -1});
    Prediction prediction{at::empty({count, 1, images.size(2), images.size(3)}, at::kFloat),
                          at::zeros({count}, at::kFloat)};
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor kept_row = kept.defined() ? kept.to(at::kCPU).view({count, -1})[i] : kept;
      prediction.score[i] = score(patches[i], distances[i], indices[i], kept_row);
      const auto as_grid = [&](const at::Tensor& row) {
        return row.defined() ? row.view({embedding.height, embedding.width}) : row;
      };
      prediction.map[i][0] = patchcore::anomaly_map(as_grid(distances[i]), as_grid(kept_row),
                                                    keep.defined() ? keep[i][0].to(at::kCPU) : keep,
                                                    images.size(2), images.size(3));
    }
    return prediction;
  }

  void save(CheckpointWriter& out) const override {
    out.add("bank", bank_.vectors().to(at::kCPU, stored_type_));
    for (const auto& [name, tensor] : backbone_->weights()) out.add("backbone." + name, tensor);
  }

 private:
  // Score of one image; 0 if all of it is ignored.
  [[nodiscard]] double score(const at::Tensor& patches, const at::Tensor& distances,
                             const at::Tensor& indices, const at::Tensor& kept) const {
    const at::Tensor seen = kept.defined() ? at::where(kept, distances, -1.0F) : distances;
    const auto farthest = seen.argmax().item<std::int64_t>();
    const auto distance = seen[farthest].item<float>();
    if (distance < 0) return 0;
    return patchcore::image_score(bank_, patches[farthest], distance,
                                  indices[farthest].item<std::int64_t>(), neighbours_, reweight_);
  }

  ModelTraits traits_;
  std::shared_ptr<const Backbone> backbone_;  // the fitter made it, and may still hold it
  patchcore::Bank bank_;
  std::int64_t neighbours_;
  patchcore::Upsampling upsampling_;
  patchcore::Reweight reweight_;
  at::ScalarType stored_type_;
};

class PatchCoreFitter final : public Fitter {
 public:
  explicit PatchCoreFitter(const FitContext& context)
      : options_(context.options),
        seed_(context.seed),
        upsampling_(parse_upsampling(options_)),
        device_(compute_options(context.execution).device()) {
    const auto name = options_.at("backbone").get<std::string>();
    BackboneWeights weights = find_backbone_weights(name, context.weights_dir);
    backbone_ =
        make_backbone(name, options_.at("layers").get<std::string>(), weights, context.execution);
    backbone_sha256_ = std::move(weights.sha256);
  }

  void observe(const at::Tensor& images, const at::Tensor& keep) override {
    const ComputeScope scope;
    const patchcore::Embedding embedding =
        patchcore::embed(backbone_->features(images), upsampling_);
    const at::Tensor kept = patchcore::kept_patches(keep, embedding.height, embedding.width);
    at::Tensor patches = embedding.patches;
    if (kept.defined()) patches = patches.index({kept.to(patches.device())});
    if (patches.size(0) == 0) return;
    chunks_.push_back(patches.to(at::kCPU));
    patches_ += patches.size(0);
  }

  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const ProgressFn& progress,
                                                     std::stop_token stop) override {
    const auto percent = options_.at("k").get<double>();
    const auto count = static_cast<std::int64_t>(static_cast<double>(patches_) * percent / 100);
    if (count < 1) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("{} patches of good images were seen, and k = {} percent of them is "
                              "no patch at all. Give more images, or raise k.",
                              patches_, percent));
    }
    at::Tensor bank;
    {
      const ComputeScope scope;
      bank = gather(select(count, progress, stop));
    }
    // What is stored is what scores, so that a model scores the same before saving and after.
    if (options_.at("bank_precision") == "fp16") bank = bank.to(at::kHalf).to(at::kFloat);
    return std::make_unique<PatchCoreModel>(options_, backbone_, bank.to(device_),
                                            backbone_sha256_);
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> select(std::int64_t count, const ProgressFn& progress,
                                                 std::stop_token stop) const {
    std::mt19937_64 random(seed_);
    const auto start = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(patches_));
    return patchcore::select_centres(project(random()), count, start, progress, stop);
  }

  // All patches in the space they are selected in: projected where that makes them shorter, then
  // turned onto their principal axes, which changes no distance and lets most be skipped.
  [[nodiscard]] at::Tensor project(std::uint64_t seed) const {
    const std::int64_t dimension = chunks_.front().size(1);
    const std::int64_t target = patchcore::projected_dimension(patches_);
    at::Tensor scatter = covariance();
    at::Tensor matrix;
    if (target <= dimension) {
      const at::Tensor projection = patchcore::random_projection(target, dimension, seed);
      scatter = projection.mm(scatter).mm(projection.t());
      matrix = projection.t().mm(patchcore::principal_axes(scatter));
    } else {
      matrix = patchcore::principal_axes(scatter);
    }
    at::Tensor points = at::empty({patches_, matrix.size(1)}, at::kFloat);
    std::int64_t row = 0;
    for (const at::Tensor& chunk : chunks_) {
      at::Tensor rows = points.narrow(0, row, chunk.size(0));
      at::mm_out(rows, chunk, matrix);
      row += chunk.size(0);
    }
    return points;
  }

  [[nodiscard]] at::Tensor covariance() const {
    const std::int64_t dimension = chunks_.front().size(1);
    at::Tensor sum = at::zeros({dimension});
    at::Tensor products = at::zeros({dimension, dimension});
    for (const at::Tensor& chunk : chunks_) {
      sum += chunk.sum(0);
      products.addmm_(chunk.t(), chunk);
    }
    return products - sum.outer(sum) / patches_;
  }

  // Rows of the chunks by overall number, in the order given; the chunks are never joined.
  [[nodiscard]] at::Tensor gather(const std::vector<std::int64_t>& rows) const {
    std::vector<std::int64_t> firsts;
    std::int64_t first = 0;
    for (const at::Tensor& chunk : chunks_) firsts.push_back(first), first += chunk.size(0);
    at::Tensor bank = at::empty({std::ssize(rows), chunks_.front().size(1)}, at::kFloat);
    for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
      const auto chunk =
          std::upper_bound(firsts.begin(), firsts.end(), rows[i]) - firsts.begin() - 1;
      bank[i] = chunks_[chunk][rows[i] - firsts[chunk]];
    }
    return bank;
  }

  json options_;
  std::uint64_t seed_;
  patchcore::Upsampling upsampling_;
  c10::Device device_;  // of the model to come; what is observed is kept on the CPU
  std::shared_ptr<const Backbone> backbone_;  // shared with the model it becomes part of
  std::string backbone_sha256_;
  std::vector<at::Tensor> chunks_;  // patches of every batch, float32 [n, D] on the CPU
  std::int64_t patches_ = 0;
};

std::unique_ptr<AnomalyModel> load_patchcore(const CheckpointReader& in,
                                             const Execution& execution) {
  const json& options = in.options();
  const auto name = options.at("backbone").get<std::string>();
  const BackboneWeights weights{in.with_prefix("backbone."), in.file_name(), ""};
  std::shared_ptr<const Backbone> backbone =
      make_backbone(name, options.at("layers").get<std::string>(), weights, execution);
  std::int64_t dimension = 0;
  for (const LayerInfo& layer : backbone->layers()) dimension += layer.channels;
  const auto stored = options.at("bank_precision") == "fp16" ? at::kHalf : at::kFloat;
  const at::Tensor bank = in.get("bank", stored, {-1, dimension}).to(at::kFloat);
  if (bank.size(0) == 0 || !at::isfinite(bank).all().item<bool>()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("The memory bank in {} is empty or holds values that are not numbers. "
                            "Train the model again.",
                            in.file_name()));
  }
  return std::make_unique<PatchCoreModel>(options, std::move(backbone),
                                          bank.to(compute_options(execution).device()), "");
}

}  // namespace

Method patchcore_method() {
  return {.name = "patchcore",
          .options = patchcore_options(),
          .default_input = {},
          .make_fitter =
              [](const FitContext& context) { return std::make_unique<PatchCoreFitter>(context); },
          .load = load_patchcore};
}

}  // namespace uad::models

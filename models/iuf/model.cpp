// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/iuf/neck.h"
#include "models/iuf/scoring.h"

namespace uad::models::iuf {

namespace {

constexpr const char* kSize = "tiles.size";  // int64 [2], height and width

at::Tensor score_of(const at::Tensor& map, const at::Tensor& peak, ScoreRule rule) {
  if (rule == ScoreRule::kMean) return map_mean(map);
  if (rule == ScoreRule::kStd) return map_deviation(map);
  return peak;
}

/// In place, see IufModel::predict().
void compare(at::Tensor values, const Level& usual) {
  values.sub_(usual.mean).div_(usual.spread).add_(kUsualScore);
}

TensorMap placed(const TensorMap& weights, at::TensorOptions place) {
  TensorMap all;
  for (const auto& [name, tensor] : weights) all[name] = tensor.to(place);
  return all;
}

ModelTraits traits_of(ModelTraits traits, const Knowledge& knowledge) {
  for (const Product& product : knowledge.products) traits.products.push_back(product.name);
  return traits;
}

}  // namespace

IufModel::IufModel(const Settings& settings, Features features, Knowledge knowledge,
                   ModelTraits traits, const Execution& execution)
    : rule_(settings.score),
      features_(std::move(features)),
      knowledge_(std::move(knowledge)),
      traits_(traits_of(std::move(traits), knowledge_)),
      weights_(placed(knowledge_.weights, compute_options(execution))),
      place_(compute_options(execution)) {}

IufModel::Raw IufModel::look(const at::Tensor& images, const at::Tensor& keep) const {
  const ComputeScope scope;
  require_size(images);
  const at::Tensor aligned = features_(images).to(place_.device(), at::kFloat);
  const Recognition recognised =
      recognise(weights_, knowledge_.shape, images.to(place_), Pass::kInference);
  const at::Tensor tokens = as_tokens(aligned.to(place_));
  const at::Tensor rebuilt =
      reconstruct(weights_, knowledge_.shape, tokens, recognised.conditions, nullptr)
          .features.to(at::kFloat);
  at::Tensor map = anomaly_map(rebuilt, aligned, images.size(2), images.size(3)).cpu();
  if (keep.defined()) map = map * keep;
  const at::Tensor peak = pooled_maximum(map);
  return {map, score_of(map, peak, rule_), peak, recognised.scores.to(at::kCPU, at::kFloat)};
}

Prediction IufModel::predict(const Tiles& tiles) const {
  const ComputeScope scope;
  const Raw raw = look(tiles.images, tiles.keep);
  Prediction prediction{raw.map, raw.score, {}};
  for (std::int64_t i = 0; i < raw.score.size(0); ++i) {
    const Product& product = knowledge_.products[product_of(tiles, raw.classes, i)];
    compare(prediction.map[i], product.map);
    compare(prediction.score[i], product.score);
    prediction.products.push_back(product.name);
  }
  if (tiles.keep.defined()) prediction.map.mul_(tiles.keep);
  return prediction;
}

void IufModel::save(CheckpointWriter& out) const {
  features_.save(out);
  knowledge_.save(out);
  out.add(kSize,
          at::tensor({knowledge_.shape.height * kCellSide, knowledge_.shape.width * kCellSide},
                     at::kLong));
}

void IufModel::require_size(const at::Tensor& images) const {
  const std::int64_t height = knowledge_.shape.height * kCellSide;
  const std::int64_t width = knowledge_.shape.width * kCellSide;
  if (images.size(2) == height && images.size(3) == width) return;
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("This IUF model was trained on inputs of {}x{} pixels, but got {}x{}. "
                          "Leave size and windows as the model has them.",
                          width, height, images.size(3), images.size(2)));
}

std::size_t IufModel::product_of(const Tiles& tiles, const at::Tensor& classes,
                                 std::int64_t tile) const {
  const auto known = static_cast<std::int64_t>(knowledge_.products.size());
  const std::string told =
      tiles.products.empty() ? "" : tiles.products.at(static_cast<std::size_t>(tile));
  if (told.empty()) {
    return static_cast<std::size_t>(
        classes[tile].narrow(0, 0, known).argmax().item<std::int64_t>());
  }
  const std::int64_t index = knowledge_.find(told);
  if (index >= 0) return static_cast<std::size_t>(index);
  std::vector<std::string> names;
  for (const Product& product : knowledge_.products) names.push_back(product.name);
  throw Error(ErrorCode::kBadOption,
              fmt::format("Product \"{}\" is not one that the model knows: {}. Set product to one "
                          "of these, or leave it empty to have it recognised.",
                          told, fmt::join(names, ", ")));
}

std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in, const Execution& execution) {
  const Settings settings(in.options());
  Features features(in, execution);
  const at::Tensor grid = in.get(kSize, at::kLong, {2});
  const NetworkShape shape = settings.shape(features.channels(), 0, grid[0].item<std::int64_t>(),
                                            grid[1].item<std::int64_t>());
  Knowledge knowledge = load_knowledge(in, shape);
  ModelTraits traits{.backbone = in.options().at("backbone").get<std::string>()};
  return std::make_unique<IufModel>(settings, std::move(features), std::move(knowledge),
                                    std::move(traits), execution);
}

}  // namespace uad::models::iuf

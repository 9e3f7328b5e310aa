// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/learner.h"

#include <algorithm>
#include <random>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "core/distributed/shared_batch.h"
#include "core/gradient/mixed_precision.h"
#include "core/patch_map.h"
#include "models/iuf/constrained_update.h"
#include "models/iuf/model.h"
#include "models/iuf/neck.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kJudged = 3;                  // decoder layers, by the compression loss
constexpr const char* kHead = "vitclassifiy.fc.2.";  // class head, as published

TensorMap on_device(const TensorMap& weights, c10::Device device) {
  TensorMap all;
  for (const auto& [name, tensor] : weights) {
    all[name] = tensor.detach().to(device, at::kFloat, false, /*copy=*/true);
    all[name].requires_grad_(is_trained(name));
  }
  return all;
}

/// Of one step: the same after a break.
at::Generator random_of(std::uint64_t seed, std::int64_t step) {
  std::seed_seq sequence{seed, seed >> 32, static_cast<std::uint64_t>(step)};
  std::array<std::uint32_t, 2> words{};
  sequence.generate(words.begin(), words.end());
  return at::make_generator<at::CPUGeneratorImpl>((std::uint64_t{words[0]} << 32) | words[1]);
}

}  // namespace

IufLearner::IufLearner(const Settings& settings, const FitContext& context, Features features,
                       Task task)
    : settings_(settings),
      context_(context),
      features_(std::move(features)),
      task_(std::move(task)),
      device_(context.execution.device),
      weights_(on_device(task_.start.weights, device_)),
      optimiser_(make_optimiser()),
      compression_(kJudged, kHidden, settings.compression_gradient, device_),
      done_(at::zeros({}, at::kLong)) {}

std::unique_ptr<Optimiser> IufLearner::make_optimiser() const {
  std::vector<at::Tensor> parameters;
  std::vector<double> rates;
  std::map<std::string, std::size_t> index;
  std::vector<ConstrainedSgd::Pulled> pulled;
  for (const auto& [name, tensor] : weights_) {
    at::Tensor before = task_.start.weights.at(name).to(device_);
    const bool head = name.starts_with(kHead);
    // the rows of new products have nothing to go back to
    if (head) before = before.narrow(0, 0, task_.known_classes);
    const at::Tensor now = tensor.detach();
    pulled.push_back({head ? now.narrow(0, 0, task_.known_classes) : now, before});
    if (!is_trained(name)) continue;
    index[name] = parameters.size();
    parameters.push_back(tensor);
    const bool own_rate = head && settings_.head_rate > 0;
    rates.push_back(own_rate ? settings_.head_rate / settings_.increment_rate : 1);
  }
  if (!task_.increment || settings_.finetune) {
    return std::make_unique<Adam>(
        std::move(parameters),
        Adam::Options{.weight_decay = settings_.weight_decay, .decoupled = true});
  }
  std::vector<ConstrainedSgd::Layer> layers;
  for (std::size_t i = 0; settings_.projection && i < task_.start.memory.size(); ++i) {
    const std::string& name = constrained_layers()[i];
    layers.push_back({index.at(name + ".weight"), index.at(name + ".bias"),
                      task_.start.memory[i].projector().to(device_)});
  }
  return std::make_unique<ConstrainedSgd>(std::move(parameters), std::move(rates),
                                          std::move(layers), std::move(pulled), settings_.pull);
}

at::Tensor IufLearner::features_of(const Batch& batch, const at::Tensor& known) const {
  if (!known.defined()) {
    const c10::NoGradGuard frozen;
    return features_(batch.images).to(device_, at::kFloat);
  }
  std::vector<std::int64_t> samples;
  for (const Draw& draw : batch.draws) samples.push_back(static_cast<std::int64_t>(draw.sample));
  return known.index_select(0, at::tensor(samples)).to(device_);
}

/// Mean square over the tokens that count.
at::Tensor IufLearner::error(const at::Tensor& rebuilt, const at::Tensor& aligned,
                             const at::Tensor& keep) const {
  const at::Tensor squares = (rebuilt.to(at::kFloat) - aligned).square();
  const at::Tensor kept = kept_patches(keep, aligned.size(2), aligned.size(3));
  if (!kept.defined()) return squares.mean();
  const at::Tensor counted = kept.to(device_, at::kFloat).unsqueeze(1);
  return sum_over_batch((squares * counted).sum()) /
         (sum_over_batch(counted.sum()) * static_cast<double>(aligned.size(1))).clamp_min(1);
}

Figures IufLearner::step(const Batch& batch, double learning_rate) {
  const auto step = done_.item<std::int64_t>();
  at::Generator random = random_of(context_.seed, step);
  const at::Tensor aligned = features_of(batch, task_.features);
  at::Tensor tokens = as_tokens(aligned);
  const bool noisy = at::rand({}, random, at::TensorOptions(at::kFloat)).item<double>() <
                     settings_.jitter_probability;
  if (noisy) tokens = jittered(tokens, settings_.jitter_scale, random);
  const NetworkShape& shape = task_.start.shape;
  Recognition recognised;
  Reconstruction rebuilt;
  {
    const MixedPrecision mixed(settings_.mixed, device_.type());
    recognised = recognise(weights_, shape, batch.images.to(device_), Pass::kTraining);
    rebuilt = reconstruct(weights_, shape, tokens, recognised.conditions, &random);
  }
  const at::Tensor reconstruction = error(rebuilt.features, aligned, batch.keep);
  const at::Tensor classes =
      at::cross_entropy_loss(recognised.scores.to(at::kFloat), batch.labels.to(device_));
  Figures figures{{"reconstruction", reconstruction.item<double>()},
                  {"classes", classes.item<double>()}};
  at::Tensor loss = reconstruction + classes;
  if (!task_.increment && settings_.compression > 0) {
    if (step % task_.steps_per_epoch == 0) compression_.clear();
    const at::Tensor compression =
        compression_.add({rebuilt.decoded.begin(), rebuilt.decoded.begin() + kJudged});
    figures["compression"] = compression.item<double>();
    loss = loss + settings_.compression * compression;
  }
  figures["loss"] = loss.item<double>();
  descend(loss, *optimiser_, learning_rate, settings_.clip_norm);
  done_.add_(1);
  return figures;
}

Figures IufLearner::validate(const Batch& batch) {
  const at::Tensor aligned = features_of(batch, task_.validation_features);
  const NetworkShape& shape = task_.start.shape;
  const Recognition recognised =
      recognise(weights_, shape, batch.images.to(device_), Pass::kInference);
  const Reconstruction rebuilt =
      reconstruct(weights_, shape, as_tokens(aligned), recognised.conditions, nullptr);
  const at::Tensor right = recognised.scores.argmax(1).cpu() == batch.labels;
  return {{"error", error(rebuilt.features, aligned, batch.keep).item<double>()},
          {"accuracy", right.to(at::kFloat).mean().item<double>()}};
}

TensorMap IufLearner::state() {
  TensorMap all = optimiser_->state();
  for (const auto& [name, tensor] : weights_) all["network." + name] = tensor.detach();
  if (!task_.increment) all.merge(compression_.state());
  all["optimiser.done"] = done_;
  return all;
}

Knowledge IufLearner::knowledge() const {
  Knowledge knowledge = task_.start;
  for (auto& [name, tensor] : knowledge.weights) {
    tensor = weights_.at(name).detach().cpu().clone(at::MemoryFormat::Contiguous);
  }
  return knowledge;
}

std::unique_ptr<AnomalyModel> IufLearner::model(Knowledge knowledge) const {
  return std::make_unique<IufModel>(
      settings_, features_, std::move(knowledge),
      ModelTraits{.backbone = context_.options.at("backbone").get<std::string>(),
                  .backbone_sha256 = features_.sha256()},
      context_.execution);
}

std::vector<at::Tensor> IufLearner::outputs(const Batch& batch) const {
  const c10::NoGradGuard no_gradients;
  const at::Tensor features = features_of(batch, task_.features);
  const NetworkShape& shape = task_.start.shape;
  const Recognition recognised =
      recognise(weights_, shape, batch.images.to(device_), Pass::kInference);
  return reconstruct(weights_, shape, as_tokens(features), recognised.conditions, nullptr,
                     /*with_outputs=*/true)
      .outputs;
}

std::int64_t IufLearner::step_bytes(std::int64_t images, std::int64_t height,
                                    std::int64_t width) const {
  return training_bytes(settings_, images, height, width);
}

// Estimated, generously: what attention and the linear layers keep for the backward pass, of tokens
// 256 and 1024 wide, and their weights with gradient, two moments, and copies of the start and of
// the best. The exact object-aware attention keeps what it was shown, and the activations of some
// thousand pixels.
std::int64_t training_bytes(const Settings& settings, std::int64_t images, std::int64_t height,
                            std::int64_t width) {
  constexpr std::int64_t kWeights = 6 * 9'107'996 * static_cast<std::int64_t>(sizeof(float));
  constexpr std::int64_t kBytesPerToken = 300'000;
  constexpr std::int64_t kBytesPerPixel = 200;
  constexpr std::int64_t kExact = 400'000'000;
  const std::int64_t pixels = images * height * width;
  return kWeights + pixels / (kCellSide * kCellSide) * kBytesPerToken +
         (settings.patch < kCellSide ? pixels * kBytesPerPixel + kExact : 0);
}

}  // namespace uad::models::iuf

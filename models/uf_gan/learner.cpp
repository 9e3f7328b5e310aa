// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/learner.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/eval/metrics.h"
#include "models/uf_gan/augmentation.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/model.h"
#include "models/uf_gan/preparation.h"
#include "models/uf_gan/statistics.h"
#include "models/uf_gan/step_losses.h"

namespace uad::models::uf_gan {

namespace {

const Adam::Options kAdam{.beta1 = 0.5, .epsilon = 1e-7};

/// Kernels are channels-last, so that what they make is.
TensorMap first_weights(const Layout& layout, std::uint64_t seed, const std::string& device) {
  TensorMap weights = initial_weights(layout, seed);
  for (const Slot& slot : layout.slots()) {
    at::Tensor& tensor = weights.at(slot.name);
    tensor = tensor.to(c10::Device(device));
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    tensor.requires_grad_(slot.trained());
  }
  return weights;
}

Networks first_networks(const Settings& settings, const FitContext& context) {
  return {first_weights(generator_layout(settings.size, settings.kernel), context.seed,
                        context.execution.device),
          first_weights(discriminator_layout(settings.size), context.seed + 1,
                        context.execution.device)};
}

TensorMap copied(const TensorMap& weights) {
  TensorMap copies;
  for (const auto& [name, tensor] : weights) copies[name] = tensor.detach().clone();
  return copies;
}

std::vector<at::Tensor> trained(const TensorMap& weights) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : weights) {
    if (tensor.requires_grad()) tensors.push_back(tensor);
  }
  return tensors;
}

void add(TensorMap& state, const std::string& prefix, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) state.emplace(prefix + name, tensor.detach());
}

std::vector<std::int64_t> samples_of(const Batch& batch) {
  std::vector<std::int64_t> samples;
  for (const Draw& draw : batch.draws) samples.push_back(static_cast<std::int64_t>(draw.sample));
  return samples;
}

}  // namespace

MuraLearner::MuraLearner(const Settings& settings, const FitContext& context, Shots shots)
    : settings_(settings),
      execution_(context.execution),
      shots_(std::move(shots)),
      networks_(first_networks(settings, context)),
      before_{copied(networks_.generator), copied(networks_.discriminator)},
      draws_(trained(networks_.generator), kAdam),
      judges_(trained(networks_.discriminator), kAdam),
      done_(at::zeros({}, at::kLong)) {}

void MuraLearner::begin_task() {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : networks_.generator) before_.generator.at(name).copy_(tensor);
  for (const auto& [name, tensor] : networks_.discriminator) {
    before_.discriminator.at(name).copy_(tensor);
  }
}

void MuraLearner::end_task() {
  const auto task =
      static_cast<double>(done_.item<std::int64_t>() / settings_.steps_per_task() - 1);
  const double share =
      settings_.meta_step * (1 - task / static_cast<double>(settings_.meta_iterations));
  step_from(before_.generator, share, networks_.generator);
  step_from(before_.discriminator, share, networks_.discriminator);
}

at::Tensor MuraLearner::prepared(const Batch& batch) const {
  const c10::NoGradGuard no_gradients;
  const at::Tensor means = shots_.frame_means.index_select(0, at::tensor(samples_of(batch)));
  std::vector<Change> changes;
  for (const Draw& draw : batch.draws) changes.push_back(draw_change(draw.seed));
  const at::Tensor images = batch.images.to(c10::Device(execution_.device));
  return changed(at_size(enhanced(images, means), settings_.size), changes)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

Figures MuraLearner::step(const Batch& batch, double learning_rate) {
  const std::int64_t per_task = settings_.steps_per_task();
  if (done_.item<std::int64_t>() % per_task == 0) begin_task();
  const StepLosses losses = step_losses(
      networks_.generator, networks_.discriminator,
      settings_.snapshot ? before_.discriminator : networks_.discriminator, prepared(batch),
      {.first_level_feature = settings_.first_level_feature,
       .mixed = settings_.mixed,
       .recompute = settings_.recompute});
  require_finite(losses.generator);
  require_finite(losses.discriminator);
  differentiate(losses, draws_, judges_);
  require_finite_gradients(draws_);
  require_finite_gradients(judges_);
  judges_.step(learning_rate);
  draws_.step(learning_rate);
  done_.add_(1);
  if (done_.item<std::int64_t>() % per_task == 0) end_task();
  return losses.figures;
}

Networks MuraLearner::for_use() const {
  const c10::NoGradGuard no_gradients;
  Networks copies{copied(networks_.generator), copied(networks_.discriminator)};
  if (settings_.reestimated) {
    const at::Tensor crops = at_size(enhanced(shots_.crops, shots_.frame_means), settings_.size)
                                 .to(c10::Device(execution_.device))
                                 .contiguous(at::MemoryFormat::ChannelsLast);
    reestimate(copies.generator, copies.discriminator, settings_.size, crops);
  }
  for (TensorMap* weights : {&copies.generator, &copies.discriminator}) {
    for (auto& [name, tensor] : *weights) tensor = tensor.cpu();
  }
  return copies;
}

void MuraLearner::begin_validation() {
  scores_.clear();
  labels_.clear();
  if (!shots_.judged_frames.empty()) judged_ = model();
}

Figures MuraLearner::validate(const Batch& batch) {
  const at::Tensor means = shots_.judged_means.index_select(0, at::tensor(samples_of(batch)));
  const at::Tensor scores =
      judged_->predict({.images = batch.images, .keep = batch.keep, .frame_means = means}).score;
  for (std::int64_t i = 0; i < scores.size(0); ++i) {
    const float score = scores[i].item<float>();
    const std::size_t frame = shots_.judged_frames.at(batch.draws.at(i).sample);
    if (!scores_.empty() && frame == frame_) {
      scores_.back() = std::max(scores_.back(), score);
      continue;
    }
    frame_ = frame;
    scores_.push_back(score);
    labels_.push_back(static_cast<std::uint8_t>(batch.labels[i].item<std::int64_t>()));
  }
  return {{"score", scores.mean().item<double>()}};
}

Figures MuraLearner::end_validation() {
  judged_.reset();
  if (scores_.empty()) return {};
  return {{"auroc", auroc(scores_, labels_)}};
}

TensorMap MuraLearner::state() {
  TensorMap state{{"optimiser.done", done_}};
  add(state, "generator.", networks_.generator);
  add(state, "discriminator.", networks_.discriminator);
  add(state, "optimiser.before.generator.", before_.generator);
  add(state, "optimiser.before.discriminator.", before_.discriminator);
  for (const auto& [network, adam] :
       {std::pair{"generator.", &draws_}, {"discriminator.", &judges_}}) {
    for (const auto& [name, tensor] : adam->state()) {
      state.emplace(std::string("optimiser.") + network + name, tensor);
    }
  }
  return state;
}

std::unique_ptr<AnomalyModel> MuraLearner::model() {
  return make_model(settings_, for_use(), execution_);
}

std::int64_t MuraLearner::step_bytes(std::int64_t /*images*/, std::int64_t /*height*/,
                                     std::int64_t /*width*/) const {
  return training_bytes(settings_);
}

// Estimated, of what was measured at size 128: what the layers keep for the backward pass in
// float32; and for each weight itself, its gradient, two moments, the copy of before and the best
// one.
std::int64_t training_bytes(const Settings& settings) {
  const std::int64_t bytes_per_pixel = settings.recompute ? 4000 : 8000;
  constexpr std::int64_t kCopies = 6;
  const auto images = static_cast<std::int64_t>(std::min(settings.batch_size, settings.task_size));
  const std::int64_t weights = generator_layout(settings.size, settings.kernel).trained_count() +
                               discriminator_layout(settings.size).trained_count();
  return images * settings.size * settings.size * bytes_per_pixel +
         kCopies * weights * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace uad::models::uf_gan

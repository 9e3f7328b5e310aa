// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/learner.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/gradient/mixed_precision.h"
#include "core/patch_map.h"
#include "models/stfpm/model.h"
#include "models/stfpm/objective.h"
#include "models/stfpm/scoring.h"

namespace uad::models::stfpm {

namespace {

Sgd::Options sgd_options(const nlohmann::json& options) {
  return {.momentum = options.at("momentum").get<double>(),
          .weight_decay = options.at("weight_decay").get<double>()};
}

std::vector<at::Tensor> distances_of(const std::vector<at::Tensor>& teacher,
                                     const std::vector<at::Tensor>& student) {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    all.push_back(distances(teacher[i], student[i]));
  }
  return all;
}

}  // namespace

StudentLearner::StudentLearner(const FitContext& context)
    : StudentLearner(context, find_backbone(context)) {}

StudentLearner::StudentLearner(const FitContext& context, FittedBackbone teacher)
    : context_(context),
      teacher_(std::move(teacher)),
      device_(context.execution.device),
      student_(shape_of(context.options), depth_of(teacher_.backbone->layers()), context.seed,
               device_),
      optimiser_(student_.parameters(), sgd_options(context.options)),
      amp_(context.options.at("amp").get<bool>()) {}

std::vector<at::Tensor> StudentLearner::taught(const at::Tensor& images) const {
  const c10::NoGradGuard frozen;
  return teacher_.backbone->features(images);
}

std::vector<at::Tensor> StudentLearner::learnt(const at::Tensor& images, bool training) {
  const MixedPrecision mixed(amp_, device_.type());
  const std::vector<at::Tensor> all = student_.forward(images, training);
  std::vector<at::Tensor> features;
  for (const LayerInfo& layer : teacher_.backbone->layers()) {
    features.push_back(all.at(static_cast<std::size_t>(depth_of({layer}) - 1)));
  }
  return features;
}

at::Tensor StudentLearner::kept_of(const Batch& batch, std::int64_t height,
                                   std::int64_t width) const {
  const at::Tensor kept = kept_patches(batch.keep, height, width);
  return kept.defined() ? kept.to(device_) : kept;
}

Figures StudentLearner::step(const Batch& batch, double learning_rate) {
  const std::vector<at::Tensor> teacher = taught(batch.images);
  std::vector<at::Tensor> kept;
  for (const at::Tensor& layer : teacher) {
    kept.push_back(kept_of(batch, layer.size(2), layer.size(3)));
  }
  const at::Tensor value = loss(teacher, learnt(batch.images, true), kept);
  descend(value, optimiser_, learning_rate);
  return {{"loss", value.item<double>()}};
}

Figures StudentLearner::validate(const Batch& batch) {
  const auto distances = distances_of(taught(batch.images), learnt(batch.images, false));
  at::Tensor map = product_map(distances, std::max<std::int64_t>(1, batch.images.size(2) / 4),
                               std::max<std::int64_t>(1, batch.images.size(3) / 4));
  if (batch.keep.defined()) {
    map = map * kept_of(batch, map.size(2), map.size(3)).unsqueeze(1);
  }
  return {{"error", map.mean().item<double>()}};
}

TensorMap StudentLearner::state() {
  TensorMap all = optimiser_.state();
  for (const auto& [name, tensor] : student_.state()) all["student." + name] = tensor;
  return all;
}

std::unique_ptr<AnomalyModel> StudentLearner::model() {
  TensorMap weights;
  for (const auto& [name, tensor] : student_.state()) {
    weights[name] = tensor.detach().clone(at::MemoryFormat::Contiguous);
  }
  return make_model(context_.options, teacher_, weights, "the student", context_.execution);
}

// Estimated, generously: what resnet18 keeps for the backward pass in float32.
std::int64_t StudentLearner::step_bytes(std::int64_t images, std::int64_t height,
                                        std::int64_t width) const {
  constexpr std::int64_t kBytesPerPixel = 700;
  return images * height * width * kBytesPerPixel;
}

}  // namespace uad::models::stfpm

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/learner.h"

#include <ATen/ATen.h>

#include "core/exec/compute_type.h"
#include "core/patch_map.h"
#include "models/vgg_cam/model.h"
#include "models/vgg_cam/objective.h"

namespace uad::models::vgg_cam {

namespace {

std::vector<at::Tensor> tensors_of(const TensorMap& map) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : map) tensors.push_back(tensor);
  return tensors;
}

}  // namespace

LoopOptions loop_options(const Settings& settings) {
  return {.epochs = settings.epochs,
          .batch_size = settings.batch_size,
          .drop_last = true,
          .schedule = {.rate = settings.learning_rate},
          .target_figure = "accuracy",
          .target = settings.target_accuracy};
}

CamLearner::CamLearner(const Settings& settings, const FitContext& context)
    : CamLearner(settings, context,
                 find_backbone_weights(settings.backbone, context.weights_dir,
                                       "use another backbone whose weights you have")) {}

CamLearner::CamLearner(const Settings& settings, const FitContext& context,
                       const BackboneWeights& weights)
    : settings_(settings),
      sha256_(weights.sha256),
      network_(settings.backbone, weights, context.seed, context.execution),
      class_weight_(at::tensor({settings.class_weight[0], settings.class_weight[1]}, at::kFloat)
                        .to(compute_options(context.execution).device())),
      adam_(tensors_of(network_.learning()), {}) {}

CamLearner::Answer CamLearner::answer(const Batch& batch) const {
  const at::Tensor features =
      network_.features(network_.frozen(settings_.normalised(batch.images)));
  const at::Tensor keep = batch.keep.defined() ? batch.keep.to(features.device()) : batch.keep;
  const at::Tensor kept = kept_patches(keep, features.size(2), features.size(3));
  const at::Tensor labels = batch.labels.to(features.device());
  Answer answer;
  answer.scores = network_.head().scores(features, kept);
  answer.loss = weighted_cross_entropy(answer.scores, labels, class_weight_);
  answer.figures["loss"] = answer.loss.item<double>();
  answer.figures["accuracy"] =
      (answer.scores.argmax(1) == labels).to(at::kDouble).mean().item<double>();
  return answer;
}

Figures CamLearner::step(const Batch& batch, double learning_rate) {
  const Answer found = answer(batch);
  descend(found.loss, adam_, learning_rate);
  return found.figures;
}

Figures CamLearner::validate(const Batch& batch) { return answer(batch).figures; }

TensorMap CamLearner::state() {
  TensorMap state = adam_.state();
  for (const auto& [name, tensor] : network_.learning()) state.emplace(name, tensor.detach());
  return state;
}

std::unique_ptr<AnomalyModel> CamLearner::model() {
  const Head& head = network_.head();
  return std::make_unique<Classifier>(
      settings_, network_.backbone(),
      Head{head.weight.detach().clone(), head.bias.detach().clone()}, sha256_);
}

std::int64_t CamLearner::step_bytes(std::int64_t images, std::int64_t height,
                                    std::int64_t width) const {
  constexpr std::int64_t kPerPixel = 640;  // two feature maps of VGG's first stage, and the rest
  std::int64_t learning = 0;
  for (const auto& [name, tensor] : network_.learning()) learning += tensor.nbytes();
  return images * height * width * kPerPixel + 3 * learning;  // gradient and two moments
}

}  // namespace uad::models::vgg_cam

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "core/patch_map.h"
#include "models/vgg_cam/localisation.h"

namespace uad::models::vgg_cam {

Classifier::Classifier(const Settings& settings, std::unique_ptr<Backbone> backbone,
                       const Head& head, const std::string& sha256)
    : traits_{.probability = true,
              .map_threshold = settings.heat_threshold,
              .backbone = settings.backbone,
              .backbone_sha256 = sha256},
      settings_(settings),
      backbone_(std::move(backbone)),
      head_(head) {}

Prediction Classifier::predict(const Tiles& tiles) const {
  const ComputeScope scope;
  const at::Tensor features =
      backbone_->features(settings_.normalised(tiles.images)).front().to(at::kFloat);
  const at::Tensor keep = tiles.keep.defined() ? tiles.keep.to(features.device()) : at::Tensor();
  const at::Tensor kept = kept_patches(keep, features.size(2), features.size(3));
  const at::Tensor chance = at::softmax(head_.scores(features, kept), 1).select(1, 1);
  const at::Tensor anomaly = class_maps(features, head_.weight.narrow(0, 1, 1));
  const at::Tensor heat = heat_maps(anomaly, tiles.images.size(2), tiles.images.size(3), keep);
  const at::Tensor told = (2 * chance).clamp_max(1).view({-1, 1, 1, 1});
  return {(heat * told).to(at::kCPU), chance.to(at::kCPU)};
}

void Classifier::save(CheckpointWriter& out) const {
  save_backbone(*backbone_, out);
  out.add(Head::kWeight, head_.weight);
  out.add(Head::kBias, head_.bias);
}

std::unique_ptr<Classifier> Classifier::load(const CheckpointReader& in,
                                             const Execution& execution) {
  const Settings settings(in.options());
  auto backbone =
      make_backbone(settings.backbone, "layer3",
                    {in.with_prefix("backbone."), in.file_name(), /*sha256=*/""}, execution);
  const Head head{in.get(Head::kWeight, at::kFloat, {2, backbone->layers().front().channels}),
                  in.get(Head::kBias, at::kFloat, {2})};
  bool finite =
      at::isfinite(head.weight).all().item<bool>() && at::isfinite(head.bias).all().item<bool>();
  for (const auto& [name, tensor] : backbone->weights()) {
    finite = finite && at::isfinite(tensor).all().item<bool>();
  }
  if (!finite) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("The weights in {} hold values that are not numbers. Train the model "
                            "again.",
                            in.file_name()));
  }
  const c10::Device device = compute_options(execution).device();
  return std::make_unique<Classifier>(settings, std::move(backbone),
                                      Head{head.weight.to(device), head.bias.to(device)}, "");
}

}  // namespace uad::models::vgg_cam

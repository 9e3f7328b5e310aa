// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/features.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/base/error.h"
#include "core/distributed/exchange.h"
#include "core/distributed/processes.h"
#include "core/distributed/shared_batch.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/backbones/efficientnet.h"
#include "models/iuf/neck.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

namespace {

constexpr std::size_t kBatch = 8;                 // images that go through the backbone together
constexpr const char* kName = "efficientnet_b4";  // the one with options of its own

std::shared_ptr<const Backbone> make(const nlohmann::json& options, const BackboneWeights& weights,
                                     const Execution& execution) {
  const auto name = options.at("backbone").get<std::string>();
  const auto layers = options.at("layers").get<std::string>();
  if (name != kName) return make_backbone(name, layers, weights, execution);
  using Padding = EfficientNetOptions::Padding;
  const EfficientNetOptions how{
      .padding = options.at("padding") == "tf380" ? Padding::kTf380 : Padding::kSymmetric,
      .bn_eps = options.at("bn_eps").get<double>()};
  const EfficientNetShape& shape =
      *std::ranges::find(efficientnet_shapes(), kName, &EfficientNetShape::name);
  return std::make_shared<EfficientNet>(shape, how, weights.tensors, weights.origin,
                                        choose_layers(name, layers), compute_options(execution));
}

}  // namespace

Features::Features(const FitContext& context) {
  BackboneWeights weights =
      find_backbone_weights(context.options.at("backbone").get<std::string>(), context.weights_dir);
  backbone_ = make(context.options, weights, context.execution);
  sha256_ = std::move(weights.sha256);
}

Features::Features(const CheckpointReader& in, const Execution& execution)
    : backbone_(make(in.options(), saved_backbone_weights(in), execution)) {}

at::Tensor Features::operator()(const at::Tensor& images) const {
  return align_features(backbone_->features(images), images.size(2) / kCellSide,
                        images.size(3) / kCellSide);
}

at::Tensor Features::of_all(const SampleStore& samples, const FitControl& control) const {
  const ComputeScope scope;
  const Share share = share_of(static_cast<std::int64_t>(samples.size()), processes());
  const auto end = static_cast<std::size_t>(share.first + share.count);
  std::vector<at::Tensor> all;
  for (auto first = static_cast<std::size_t>(share.first); first < end; first += kBatch) {
    if (control.cancel.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "The training was cancelled.");
    }
    const std::size_t last = std::min(end, first + kBatch);
    all.push_back((*this)(samples.range(first, last).images).cpu());
  }
  if (share.count < share.total) return gather_rows(std::move(all), *processes());
  return at::cat(all).clone();
}

std::int64_t Features::channels() const { return total_channels(backbone_->layers()); }

void Features::save(CheckpointWriter& out) const { save_backbone(*backbone_, out); }

}  // namespace uad::models::iuf

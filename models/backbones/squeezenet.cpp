// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/squeezenet.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/feature_taps.h"
#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

struct FireShape {
  int number;  // as in "features.3"
  std::int64_t squeezed;
  std::int64_t expanded;  // by each of the two expanding convolutions
};

const std::vector<std::vector<FireShape>>& fire_shapes() {
  static const std::vector<std::vector<FireShape>> shapes{
      {{3, 16, 64}, {4, 16, 64}},
      {{6, 32, 128}, {7, 32, 128}},
      {{9, 48, 192}, {10, 48, 192}, {11, 64, 256}, {12, 64, 256}},
  };
  return shapes;
}

}  // namespace

std::vector<LayerInfo> squeezenet_layers() {
  return {{"layer1", 128, 4}, {"layer2", 256, 8}, {"layer3", 512, 16}};
}

SqueezeNet::SqueezeNet(const TensorMap& weights, const std::string& origin,
                       std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, "squeezenet1_1", weights_, place);
  std::int64_t in = 64;
  stem_ = take.conv("features.0", {in, 3, 3, 3}, {.stride = 2});
  const std::int64_t deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).stride;
  const std::vector<LayerInfo> all = squeezenet_layers();
  for (std::size_t i = 0; i < all.size() && all[i].stride <= deepest; ++i) {
    Stage stage{all[i].name, {}};
    for (const auto& [number, squeezed, expanded] : fire_shapes()[i]) {
      const std::string prefix = fmt::format("features.{}.", number);
      stage.fires.push_back(
          {take.conv(prefix + "squeeze", {squeezed, in, 1, 1}, {}),
           take.conv(prefix + "expand1x1", {expanded, squeezed, 1, 1}, {}),
           take.conv(prefix + "expand3x3", {expanded, squeezed, 3, 3}, {.padding = 1})});
      in = 2 * expanded;
    }
    stages_.push_back(std::move(stage));
  }
}

std::vector<at::Tensor> SqueezeNet::features(const at::Tensor& images) const {
  at::Tensor x = stem_(images.to(place_).contiguous(at::MemoryFormat::ChannelsLast));
  FeatureTaps taps(layers_);
  for (const Stage& stage : stages_) {
    x = at::max_pool2d(x, {3, 3}, {2, 2}, {0, 0}, {1, 1}, /*ceil_mode=*/true);
    for (const Fire& fire : stage.fires) {
      const at::Tensor squeezed = fire.squeeze(x);
      x = at::cat({fire.expand1(squeezed), fire.expand3(squeezed)}, 1);
    }
    taps.after(stage.name, x);
  }
  return taps.take();
}

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/vgg16.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/feature_taps.h"
#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

struct StageShape {
  int first;  // convolution, as in "features.5"; the others follow in steps of 2
  int convs;
  std::int64_t channels;
  const char* layer;  // "" = none
  std::int64_t stride;
};

constexpr StageShape kStages[] = {{0, 2, 64, "", 1},
                                  {5, 2, 128, "", 2},
                                  {10, 3, 256, "layer1", 4},
                                  {17, 3, 512, "layer2", 8},
                                  {24, 3, 512, "layer3", 16}};

}  // namespace

std::vector<LayerInfo> vgg16_layers() {
  std::vector<LayerInfo> layers;
  for (const StageShape& stage : kStages) {
    if (*stage.layer != '\0') layers.push_back({stage.layer, stage.channels, stage.stride});
  }
  return layers;
}

Vgg16::Vgg16(const TensorMap& weights, const std::string& origin, std::vector<LayerInfo> layers,
             at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, "vgg16", weights_, place);
  const std::int64_t deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).stride;
  std::int64_t in = 3;
  take.refuse("features.16.");  // a convolution of VGG19; the layers before are the same
  for (const StageShape& shape : kStages) {
    if (shape.stride > deepest) break;
    Stage stage{{}, shape.layer};
    for (int i = 0; i < shape.convs; ++i) {
      stage.convs.push_back(take.conv(fmt::format("features.{}", shape.first + 2 * i),
                                      {shape.channels, in, 3, 3}, {.padding = 1}));
      in = shape.channels;
    }
    stages_.push_back(std::move(stage));
  }
}

std::vector<at::Tensor> Vgg16::features(const at::Tensor& images) const {
  at::Tensor x = images.to(place_).contiguous(at::MemoryFormat::ChannelsLast);
  FeatureTaps taps(layers_);
  for (const Stage& stage : stages_) {
    if (&stage != &stages_.front()) x = at::max_pool2d(x, {2, 2});
    for (const FusedConv& conv : stage.convs) x = conv(x);
    taps.after(stage.layer, x);
  }
  return taps.take();
}

}  // namespace uad::models

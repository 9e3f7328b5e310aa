// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/mobilenet_v2.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/feature_taps.h"
#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

constexpr std::int64_t kStemChannels = 32;

// Blocks of one width; the first of them has the stride.
struct Group {
  std::int64_t expansion;
  std::int64_t channels;
  int blocks;
  std::int64_t stride;
  const char* layer;  // that ends with the group; "" = none
};

constexpr Group kGroups[]{{1, 16, 1, 1, ""},       {6, 24, 2, 2, "layer1"}, {6, 32, 3, 2, "layer2"},
                          {6, 64, 4, 2, ""},       {6, 96, 3, 1, "layer3"}, {6, 160, 3, 2, ""},
                          {6, 320, 1, 1, "layer4"}};

}  // namespace

std::vector<LayerInfo> mobilenet_v2_layers() {
  return {{"layer1", 24, 4}, {"layer2", 32, 8}, {"layer3", 96, 16}, {"layer4", 320, 32}};
}

MobileNetV2::MobileNetV2(const TensorMap& weights, const std::string& origin,
                         std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, "mobilenet_v2", weights_, place);
  const auto relu6 = [](std::int64_t stride, std::int64_t padding, std::int64_t groups) {
    return ConvOptions{stride, padding, groups, Activation::kRelu6};
  };
  stem_ =
      take.conv_and_norm("features.0.0", "features.0.1", {kStemChannels, 3, 3, 3}, relu6(2, 1, 1));
  const std::string deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).name;
  std::int64_t in = kStemChannels;
  int number = 1;  // as in "features.1"
  for (const Group& group : kGroups) {
    for (int i = 0; i < group.blocks; ++i, ++number) {
      const std::int64_t stride = i == 0 ? group.stride : 1;
      const std::int64_t inner = in * group.expansion;
      const std::string prefix = fmt::format("features.{}.conv.", number);
      int step = 0;
      const auto next = [&](at::IntArrayRef shape, const ConvOptions& options) {
        const std::string name = fmt::format("{}{}", prefix, step++);
        return take.conv_and_norm(name + ".0", name + ".1", shape, options);
      };
      Block block;
      if (group.expansion > 1) block.expand = next({inner, in, 1, 1}, relu6(1, 0, 1));
      block.depthwise = next({inner, 1, 3, 3}, relu6(stride, 1, inner));
      block.project = take.conv_and_norm(
          fmt::format("{}{}", prefix, step), fmt::format("{}{}", prefix, step + 1),
          {group.channels, inner, 1, 1}, {.activation = Activation::kNone});
      block.residual = stride == 1 && in == group.channels;
      if (i + 1 == group.blocks) block.layer = group.layer;
      blocks_.push_back(std::move(block));
      in = group.channels;
    }
    if (deepest == group.layer) return;
  }
}

// The residual is not written into the input: a layer that a caller asked for may be that input.
at::Tensor MobileNetV2::run(const Block& block, const at::Tensor& x) {
  const at::Tensor hidden = block.depthwise(block.expand ? (*block.expand)(x) : x);
  at::Tensor y = block.project(hidden);
  if (block.residual) y.add_(x);
  return y;
}

std::vector<at::Tensor> MobileNetV2::features(const at::Tensor& images) const {
  const at::Tensor packed = images.to(place_).contiguous(at::MemoryFormat::ChannelsLast);
  return features_of_blocks(layers_, blocks_, stem_(packed), run);
}

}  // namespace uad::models

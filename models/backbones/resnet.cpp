// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/resnet.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/feature_taps.h"
#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

constexpr std::int64_t kStemChannels = 64;
constexpr std::int64_t kExpansion = 4;  // output of a bottleneck over its inner width

}  // namespace

const std::vector<ResNetShape>& resnet_shapes() {
  static const std::vector<ResNetShape> shapes{
      {.name = "resnet18", .blocks = {2, 2, 2}},
      {.name = "resnet34", .blocks = {3, 4, 6}},
      {.name = "resnet50", .blocks = {3, 4, 6}, .bottleneck = true},
      {.name = "resnet101", .blocks = {3, 4, 23}, .bottleneck = true},
      {.name = "wide_resnet50_2", .blocks = {3, 4, 6}, .bottleneck = true, .widening = 2},
  };
  return shapes;
}

std::vector<LayerInfo> resnet_layers(const ResNetShape& shape) {
  const std::int64_t factor = shape.bottleneck ? kExpansion : 1;
  return {{"layer1", 64 * factor, 4}, {"layer2", 128 * factor, 8}, {"layer3", 256 * factor, 16}};
}

ResNet::ResNet(const ResNetShape& shape, const TensorMap& weights, const std::string& origin,
               std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, shape.name, weights_, place);
  stem_ = take.conv_and_norm("conv1", "bn1", {kStemChannels, 3, 7, 7}, {.stride = 2, .padding = 3});
  const std::int64_t deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).stride;
  const std::vector<LayerInfo> stages = resnet_layers(shape);
  std::int64_t in = kStemChannels;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const LayerInfo& layer = stages[i];
    take.refuse(fmt::format("{}.{}.", layer.name, shape.blocks[i]));
    if (layer.stride > deepest) continue;
    Stage stage{layer.name, {}};
    for (int block = 0; block < shape.blocks[i]; ++block) {
      const std::int64_t stride = i > 0 && block == 0 ? 2 : 1;
      stage.blocks.push_back(make_block(shape, take, fmt::format("{}.{}.", layer.name, block), in,
                                        layer.channels, stride));
      in = layer.channels;
    }
    stages_.push_back(std::move(stage));
  }
}

ResNet::Block ResNet::make_block(const ResNetShape& shape, WeightTaker& take,
                                 const std::string& prefix, std::int64_t in, std::int64_t out,
                                 std::int64_t stride) {
  Block block;
  const auto add = [&](int number, at::IntArrayRef sizes, const ConvOptions& options) {
    block.convs.push_back(take.conv_and_norm(fmt::format("{}conv{}", prefix, number),
                                             fmt::format("{}bn{}", prefix, number), sizes,
                                             options));
  };
  if (shape.bottleneck) {
    const std::int64_t inner = out / kExpansion * shape.widening;
    add(1, {inner, in, 1, 1}, {});
    add(2, {inner, inner, 3, 3}, {.stride = stride, .padding = 1});
    add(3, {out, inner, 1, 1}, {});
  } else {
    add(1, {out, in, 3, 3}, {.stride = stride, .padding = 1});
    add(2, {out, out, 3, 3}, {.padding = 1});
  }
  if (in != out) {
    block.downsample =
        take.conv_and_norm(prefix + "downsample.0", prefix + "downsample.1", {out, in, 1, 1},
                           {.stride = stride, .activation = Activation::kNone});
  }
  return block;
}

// The residual is written into the skip tensor. Without a downsample that tensor is the block's
// input: always the pool's or another block's output that no caller sees, since a stage's first
// block either downsamples or reads the pool.
at::Tensor ResNet::run(const Block& block, at::Tensor x) {
  at::Tensor hidden = x;
  for (std::size_t i = 0; i + 1 < block.convs.size(); ++i) hidden = block.convs[i](hidden);
  at::Tensor sum = block.downsample ? (*block.downsample)(x) : std::move(x);
  block.convs.back().add_into(sum, hidden);
  return sum;
}

std::vector<at::Tensor> ResNet::features(const at::Tensor& images) const {
  at::Tensor x = images.to(place_).contiguous(at::MemoryFormat::ChannelsLast);
  x = at::max_pool2d(stem_(x), {3, 3}, {2, 2}, {1, 1});
  FeatureTaps taps(layers_);
  for (const Stage& stage : stages_) {
    for (const Block& block : stage.blocks) x = run(block, std::move(x));
    taps.after(stage.name, x);
  }
  return taps.take();
}

}  // namespace uad::models

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/efficientnet_b4.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

constexpr std::int64_t kStemChannels = 48;

// Blocks of one width, torchvision's "features.1" and on; the first of them has the stride.
struct Stage {
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t expansion;
  std::int64_t channels;
  int blocks;
  const char* layer;  // that ends with the stage; "" = none
};

constexpr Stage kStages[]{{3, 1, 1, 24, 2, "layer1"},
                          {3, 2, 6, 32, 4, "layer2"},
                          {5, 2, 6, 56, 4, "layer3"},
                          {3, 2, 6, 112, 6, ""},
                          {5, 1, 6, 160, 6, "layer4"}};

struct Zeros {
  std::int64_t before;
  std::int64_t extra;  // this many more after than before
};

// At 380 pixels only the 5x5 kernel of stride 2 meets an odd side, 95, and so is padded evenly.
Zeros zeros(EfficientNetOptions::Padding padding, std::int64_t kernel, std::int64_t stride) {
  const bool uneven = padding == EfficientNetOptions::Padding::kTf380 && stride == 2 && kernel == 3;
  return uneven ? Zeros{0, 1} : Zeros{kernel / 2, 0};
}

ConvOptions spatial(std::int64_t stride, std::int64_t padding, std::int64_t groups) {
  return {.stride = stride, .padding = padding, .groups = groups, .activation = Activation::kSwish};
}

}  // namespace

std::vector<LayerInfo> efficientnet_b4_layers() {
  return {{"layer1", 24, 2}, {"layer2", 32, 4}, {"layer3", 56, 8}, {"layer4", 160, 16}};
}

EfficientNetB4::EfficientNetB4(Options options, const TensorMap& weights, const std::string& origin,
                               std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, "efficientnet_b4", weights_, place, options.bn_eps);
  const Zeros stem = zeros(options.padding, 3, 2);
  stem_ = {take.conv_and_norm("features.0.0", "features.0.1", {kStemChannels, 3, 3, 3},
                              spatial(2, stem.before, 1)),
           stem.extra};
  const std::string deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).name;
  std::int64_t in = kStemChannels;
  int number = 1;  // as in "features.1"
  for (const Stage& stage : kStages) {
    take.refuse(fmt::format("features.{}.{}.", number, stage.blocks));  // of B5 and larger
    for (int i = 0; i < stage.blocks; ++i) {
      const std::int64_t stride = i == 0 ? stage.stride : 1;
      const std::int64_t inner = in * stage.expansion;
      const std::int64_t squeezed = in / 4;
      const Zeros around = zeros(options.padding, stage.kernel, stride);
      int step = 0;
      const auto next = [&] { return fmt::format("features.{}.{}.block.{}", number, i, step++); };
      const auto normed = [&](at::IntArrayRef shape, const ConvOptions& conv) {
        const std::string name = next();
        return take.conv_and_norm(name + ".0", name + ".1", shape, conv);
      };
      Block block;
      if (stage.expansion > 1) {
        block.expand = normed({inner, in, 1, 1}, {.activation = Activation::kSwish});
      }
      block.depthwise = {
          normed({inner, 1, stage.kernel, stage.kernel}, spatial(stride, around.before, inner)),
          around.extra};
      const std::string gate = next();
      block.squeeze =
          take.conv(gate + ".fc1", {squeezed, inner, 1, 1}, {.activation = Activation::kSwish});
      block.excite =
          take.conv(gate + ".fc2", {inner, squeezed, 1, 1}, {.activation = Activation::kNone});
      block.project = normed({stage.channels, inner, 1, 1}, {.activation = Activation::kNone});
      block.residual = stride == 1 && in == stage.channels;
      if (i + 1 == stage.blocks) block.layer = stage.layer;
      blocks_.push_back(std::move(block));
      in = stage.channels;
    }
    if (deepest == stage.layer) return;
    ++number;
  }
}

at::Tensor EfficientNetB4::Padded::operator()(const at::Tensor& x) const {
  return conv(extra == 0 ? x : at::constant_pad_nd(x, {0, extra, 0, extra}));
}

// The residual is not written into the input: a layer that a caller asked for may be that input.
at::Tensor EfficientNetB4::run(const Block& block, const at::Tensor& x) {
  at::Tensor hidden = block.depthwise(block.expand ? (*block.expand)(x) : x);
  const at::Tensor gate = block.excite(block.squeeze(hidden.mean({2, 3}, /*keepdim=*/true)));
  at::Tensor y = block.project(hidden.mul_(gate.sigmoid()));
  if (block.residual) y.add_(x);
  return y;
}

std::vector<at::Tensor> EfficientNetB4::features(const at::Tensor& images) const {
  at::Tensor x = stem_(images.to(place_).contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<at::Tensor> features(layers_.size());
  for (const Block& block : blocks_) {
    x = run(block, x);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].name == block.layer) features[i] = x;
    }
  }
  return features;
}

}  // namespace uad::models

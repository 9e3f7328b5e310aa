// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/efficientnet.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/backbones/feature_taps.h"
#include "models/backbones/weight_taker.h"

namespace uad::models {

namespace {

constexpr std::int64_t kStemChannels = 32;  // of B0, as in kStages

// Blocks of one width, torchvision's "features.1" and on; the first of them has the stride.
struct Stage {
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t expansion;
  std::int64_t channels;
  int blocks;
  const char* layer;        // that ends with the stage; "" = none
  std::int64_t cells_from;  // its stride in the image
};

constexpr Stage kStages[]{{3, 1, 1, 16, 1, "layer1", 2},
                          {3, 2, 6, 24, 2, "layer2", 4},
                          {5, 2, 6, 40, 2, "layer3", 8},
                          {3, 2, 6, 80, 3, "", 16},
                          {5, 1, 6, 112, 3, "layer4", 16}};

// A multiple of 8 near what is wanted, and not below nine tenths of it.
std::int64_t widened(std::int64_t channels, double width) {
  const double wanted = static_cast<double>(channels) * width;
  const auto near = std::max<std::int64_t>(8, static_cast<std::int64_t>(wanted + 4) / 8 * 8);
  return static_cast<double>(near) < 0.9 * wanted ? near + 8 : near;
}

int deepened(int blocks, double depth) { return static_cast<int>(std::ceil(blocks * depth)); }

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

const std::vector<EfficientNetShape>& efficientnet_shapes() {
  static const std::vector<EfficientNetShape> shapes{
      {"efficientnet_b0", 1.0, 1.0, 1e-5}, {"efficientnet_b1", 1.0, 1.1, 1e-5},
      {"efficientnet_b2", 1.1, 1.2, 1e-5}, {"efficientnet_b3", 1.2, 1.4, 1e-5},
      {"efficientnet_b4", 1.4, 1.8, 1e-5}, {"efficientnet_b5", 1.6, 2.2, 1e-3},
      {"efficientnet_b6", 1.8, 2.6, 1e-3}};
  return shapes;
}

std::vector<LayerInfo> efficientnet_layers(const EfficientNetShape& shape) {
  std::vector<LayerInfo> layers;
  for (const Stage& stage : kStages) {
    if (*stage.layer == '\0') continue;
    layers.push_back({stage.layer, widened(stage.channels, shape.width), stage.cells_from});
  }
  return layers;
}

EfficientNet::EfficientNet(const EfficientNetShape& shape, Options options,
                           const TensorMap& weights, const std::string& origin,
                           std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  WeightTaker take(weights, origin, shape.name, weights_, place, options.bn_eps);
  std::int64_t in = widened(kStemChannels, shape.width);
  const Zeros stem = zeros(options.padding, 3, 2);
  stem_ = {
      take.conv_and_norm("features.0.0", "features.0.1", {in, 3, 3, 3}, spatial(2, stem.before, 1)),
      stem.extra};
  const std::string deepest = std::ranges::max(layers_, {}, &LayerInfo::stride).name;
  int number = 1;  // as in "features.1"
  for (const Stage& stage : kStages) {
    const std::int64_t channels = widened(stage.channels, shape.width);
    const int blocks = deepened(stage.blocks, shape.depth);
    take.refuse(fmt::format("features.{}.{}.", number, blocks));  // of a larger one
    for (int i = 0; i < blocks; ++i) {
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
      block.project = normed({channels, inner, 1, 1}, {.activation = Activation::kNone});
      block.residual = stride == 1 && in == channels;
      if (i + 1 == blocks) block.layer = stage.layer;
      blocks_.push_back(std::move(block));
      in = channels;
    }
    if (deepest == stage.layer) return;
    ++number;
  }
}

at::Tensor EfficientNet::Padded::operator()(const at::Tensor& x) const {
  return conv(extra == 0 ? x : at::constant_pad_nd(x, {0, extra, 0, extra}));
}

// The residual is not written into the input: a layer that a caller asked for may be that input.
at::Tensor EfficientNet::run(const Block& block, const at::Tensor& x) {
  at::Tensor hidden = block.depthwise(block.expand ? (*block.expand)(x) : x);
  const at::Tensor gate = block.excite(block.squeeze(hidden.mean({2, 3}, /*keepdim=*/true)));
  at::Tensor y = block.project(hidden.mul_(gate.sigmoid()));
  if (block.residual) y.add_(x);
  return y;
}

std::vector<at::Tensor> EfficientNet::features(const at::Tensor& images) const {
  const at::Tensor packed = images.to(place_).contiguous(at::MemoryFormat::ChannelsLast);
  return features_of_blocks(layers_, blocks_, stem_(packed), run);
}

}  // namespace uad::models

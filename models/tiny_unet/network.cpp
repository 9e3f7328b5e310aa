// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/network.h"

#include <array>
#include <map>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/stored_weights.h"

namespace uad::models::tiny_unet {

namespace {

constexpr std::size_t kLevels = 4;

/// Channels of the input block, the three blocks down and the bottleneck.
using Widths = std::array<std::int64_t, kLevels + 1>;

// A block on the way up ends with the channels that the next one's skip has, halved for all but the
// last, which keeps those of the input block.
std::vector<Layer> make_layers(const Widths& widths) {
  static constexpr std::array<const char*, kLevels> kDown{"in", "down1", "down2", "down3"};
  static constexpr std::array<const char*, kLevels> kUp{"up1", "up2", "up3", "out"};
  std::vector<Layer> made;
  std::int64_t channels = 1;
  const auto add = [&](const std::string& name, std::int64_t out, std::int64_t kernel) {
    made.push_back({name, channels, out, kernel});
    channels = out;
  };
  for (std::size_t i = 0; i < kLevels; ++i) {
    add(fmt::format("{}.conv1", kDown[i]), widths[i], 3);
    add(fmt::format("{}.conv2", kDown[i]), widths[i], 3);
  }
  add("bottleneck.conv1", widths[kLevels], 3);
  add("bottleneck.conv2", widths[kLevels], 3);
  std::int64_t up = widths[kLevels - 1];
  std::string below = "bottleneck";
  for (std::size_t i = 0; i < kLevels; ++i) {
    const std::int64_t skip = widths[kLevels - 1 - i];
    add(below + ".up", up, 2);
    channels += skip;
    const bool last = i + 1 == kLevels;
    up = last ? skip : skip / 2;
    add(fmt::format("{}.conv1", kUp[i]), skip, 3);
    add(fmt::format("{}.conv2", kUp[i]), up, 3);
    below = kUp[i];
  }
  add("out.conv3", 1, 1);
  return made;
}

const std::map<std::string, std::vector<Layer>>& variants() {
  static const std::map<std::string, std::vector<Layer>> known{
      {"tinyUNet", make_layers({32, 32, 64, 128, 256})},
      {"original", make_layers({64, 128, 256, 512, 1024})}};
  return known;
}

void require_sides(std::int64_t height, std::int64_t width) {
  if (height % kSideUnit == 0 && width % kSideUnit == 0 && height > 0 && width > 0) return;
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("TinyUNet needs images whose sides are multiples of {}, but these are "
                          "{}x{}. Set --resize, --crop_size or --window accordingly; {}x{} is "
                          "nearest.",
                          kSideUnit, width, height, nearest_side(width), nearest_side(height)));
}

}  // namespace

const std::vector<std::string>& variant_names() {
  static const std::vector<std::string> names{"tinyUNet", "original"};
  return names;
}

const std::vector<Layer>& layers(const std::string& variant) { return variants().at(variant); }

at::Tensor forward(const at::Tensor& image, const Convolve& convolve) {
  require_sides(image.size(2), image.size(3));
  std::size_t layer = 0;
  const auto twice = [&](const at::Tensor& x) {
    const at::Tensor y = convolve(layer++, x);
    return convolve(layer++, y);
  };
  std::vector<at::Tensor> skips;
  at::Tensor x = image;
  for (std::size_t level = 0; level < kLevels; ++level) {
    skips.push_back(twice(x));
    x = at::max_pool2d(skips.back(), 2);
  }
  x = twice(x);
  for (std::size_t level = 0; level < kLevels; ++level) {
    x = twice(at::cat({up(layer++, x, convolve), skips.back()}, 1));
    skips.pop_back();
  }
  return convolve(layer, x);
}

// With zeros on all sides there is one row and one column too many, in front; leaving them out
// afterwards is a view, while zeros on two sides would copy the whole enlarged image.
at::Tensor up(std::size_t i, const at::Tensor& x, const Convolve& convolve) {
  const std::array<std::int64_t, 2> doubled{2 * x.size(2), 2 * x.size(3)};
  return convolve(i, at::upsample_nearest2d(x, doubled)).slice(2, 1).slice(3, 1);
}

at::Tensor grey(const at::Tensor& images) {
  const at::Tensor mean = images.mean(1, /*keepdim=*/true);
  // With one channel both layouts are the same bytes, and only these strides say which is meant.
  const std::int64_t height = mean.size(2);
  const std::int64_t width = mean.size(3);
  return mean.contiguous().as_strided(mean.sizes(), {height * width, 1, width, 1});
}

Network::Network(const std::string& variant, TensorMap parameters)
    : variant_(variant), parameters_(std::move(parameters)) {}

at::Tensor Network::logits(const at::Tensor& image) const {
  const std::vector<Layer>& all = layers(variant_);
  const auto convolve = [&](std::size_t i, const at::Tensor& x) {
    const Layer& layer = all[i];
    const at::Tensor weight = parameters_.at(layer.name + ".weight").to(x.scalar_type());
    const at::Tensor bias = parameters_.at(layer.name + ".bias").to(x.scalar_type());
    at::Tensor y = at::conv2d(x, weight, bias, 1, layer.padding());
    return layer.relu() ? y.relu_() : y;
  };
  return forward(image, convolve).to(at::kFloat);
}

std::vector<at::Tensor> tensors_of(const TensorMap& parameters) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor);
  return tensors;
}

TensorMap read_parameters(const CheckpointReader& in, const std::string& variant) {
  WeightShapes shapes;
  for (const Layer& layer : layers(variant)) {
    shapes[layer.name + ".weight"] = {layer.out, layer.in, layer.kernel, layer.kernel};
    shapes[layer.name + ".bias"] = {layer.out};
  }
  return read_weights(in, shapes, "");
}

}  // namespace uad::models::tiny_unet

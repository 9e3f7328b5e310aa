// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/network.h"

#include <array>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"

namespace uad::models::vgg_cam {

namespace {

at::Tensor conv(const TensorMap& weights, const std::string& name, const at::Tensor& x,
                std::int64_t stride, std::int64_t padding) {
  const auto bias = weights.find(name + ".bias");
  return at::conv2d(x, weights.at(name + ".weight"),
                    bias == weights.end() ? at::Tensor() : bias->second, stride, padding);
}

// By its stored statistics, while it learns too: a batch of ten says little, and weights from
// elsewhere may have batch norm folded into the convolutions.
at::Tensor norm(const TensorMap& weights, const std::string& name, const at::Tensor& x) {
  return at::batch_norm(x, weights.at(name + ".weight"), weights.at(name + ".bias"),
                        weights.at(name + ".running_mean"), weights.at(name + ".running_var"),
                        /*training=*/false, /*momentum=*/0, /*eps=*/1e-5, /*cudnn_enabled=*/false);
}

at::Tensor resnet18_stage(const TensorMap& weights, at::Tensor x) {
  for (const std::string block : {"layer3.0.", "layer3.1."}) {
    const bool first = block == "layer3.0.";
    at::Tensor y = conv(weights, block + "conv1", x, first ? 2 : 1, 1);
    y = at::relu(norm(weights, block + "bn1", y));
    y = norm(weights, block + "bn2", conv(weights, block + "conv2", y, 1, 1));
    if (first) {
      x = norm(weights, block + "downsample.1", conv(weights, block + "downsample.0", x, 2, 0));
    }
    x = at::relu(x + y);
  }
  return x;
}

at::Tensor squeezenet_stage(const TensorMap& weights, at::Tensor x) {
  x = at::max_pool2d(x, {3, 3}, {2, 2}, {0, 0}, {1, 1}, /*ceil_mode=*/true);
  for (int fire = 9; fire <= 12; ++fire) {
    const std::string prefix = fmt::format("features.{}.", fire);
    const at::Tensor squeezed = at::relu(conv(weights, prefix + "squeeze", x, 1, 0));
    x = at::relu(at::cat({conv(weights, prefix + "expand1x1", squeezed, 1, 0),
                          conv(weights, prefix + "expand3x3", squeezed, 1, 1)},
                         1));
  }
  return x;
}

at::Tensor vgg16_stage(const TensorMap& weights, at::Tensor x) {
  x = at::max_pool2d(x, {2, 2});
  for (const char* name : {"features.24", "features.26", "features.28"}) {
    x = at::relu(conv(weights, name, x, 1, 1));
  }
  return x;
}

struct Row {
  const char* backbone;
  at::Tensor (*stage)(const TensorMap& weights, at::Tensor layer2);  // to layer 3
};

constexpr std::array kRows{Row{"resnet18", resnet18_stage}, Row{"squeezenet1_1", squeezenet_stage},
                           Row{"vgg16", vgg16_stage}};

const Row& find_row(const std::string& backbone) {
  for (const Row& row : kRows) {
    if (row.backbone == backbone) return row;
  }
  throw Error(
      ErrorCode::kBadOption,
      fmt::format("The last stage of backbone \"{}\" cannot be trained, expected one of {}.",
                  backbone, fmt::join(trainable_backbones(), ", ")));
}

bool is_batch_norm(const TensorMap& weights, const std::string& name) {
  return weights.contains(name.substr(0, name.rfind('.')) + ".running_mean");
}

}  // namespace

std::vector<std::string> trainable_backbones() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.backbone);
  return names;
}

Head Head::random(std::int64_t channels, std::uint64_t seed) {
  const double bound = 1 / std::sqrt(static_cast<double>(channels));
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return {at::empty({2, channels}).uniform_(-bound, bound, generator),
          at::empty({2}).uniform_(-bound, bound, generator)};
}

at::Tensor Head::scores(const at::Tensor& features, const at::Tensor& kept) const {
  if (features.size(2) < 2 || features.size(3) < 2) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("The classifier needs images of 64x64 pixels at least, but the last "
                            "features have {}x{} places. Set a larger resize or window.",
                            features.size(3), features.size(2)));
  }
  if (!kept.defined()) {
    return at::linear(at::max_pool2d(features, {2, 2}).mean({2, 3}), weight, bias);
  }
  // Features are not negative, so a 0 never wins the maximum.
  const at::Tensor counts = kept.to(features.options()).unsqueeze(1);
  const at::Tensor places = at::max_pool2d(counts, {2, 2});
  const at::Tensor sums = at::max_pool2d(features * counts, {2, 2}).sum({2, 3});
  return at::linear(sums / places.sum({2, 3}).clamp_min(1), weight, bias);
}

Network::Network(const std::string& backbone, const BackboneWeights& weights, std::uint64_t seed,
                 const Execution& execution)
    : name_(backbone), execution_(execution) {
  static_cast<void>(find_row(backbone));
  const c10::Device device = compute_options(execution).device();
  frozen_ = make_backbone(backbone, "layer2", weights, execution);
  const auto whole = make_backbone(backbone, "layer3", weights, {});
  for (const auto& [name, tensor] : whole->weights()) {
    if (frozen_->weights().contains(name)) {
      weights_[name] = tensor;
      continue;
    }
    weights_[name] = tensor.to(device, tensor.scalar_type(), false, /*copy=*/true);
    if (!is_batch_norm(whole->weights(), name)) learning_[name] = weights_[name];
  }
  head_ = Head::random(whole->layers().front().channels, seed);
  head_.weight = learning_[Head::kWeight] = head_.weight.to(device);
  head_.bias = learning_[Head::kBias] = head_.bias.to(device);
  for (const auto& [name, tensor] : learning_) tensor.requires_grad_(true);
}

at::Tensor Network::frozen(const at::Tensor& images) const {
  const c10::NoGradGuard no_gradients;
  return frozen_->features(images).front().to(at::kFloat);
}

at::Tensor Network::features(const at::Tensor& frozen) const {
  return find_row(name_).stage(weights_, frozen);
}

std::unique_ptr<Backbone> Network::backbone() const {
  const c10::NoGradGuard no_gradients;
  TensorMap copies;
  for (const auto& [name, tensor] : weights_) {
    copies[name] = learning_.contains(name) ? tensor.detach().clone() : tensor;
  }
  return make_backbone(name_, "layer3", {copies, "The trained network", ""}, execution_);
}

}  // namespace uad::models::vgg_cam

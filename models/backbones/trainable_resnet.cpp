// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/trainable_resnet.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/distributed/batch_norm.h"

namespace uad::models {

namespace {

constexpr double kMomentum = 0.1;
constexpr double kEpsilon = 1e-5;
constexpr std::int64_t kStemChannels = 64;
constexpr std::int64_t kExpansion = 4;  // output of a bottleneck over its inner width

/// A convolution without bias, followed by batch norm.
struct ConvNorm {
  std::string conv;  // names
  std::string norm;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  at::Tensor kernel;  // [out, in, k, k]
  at::Tensor weight, bias, mean, variance, batches;

  ConvNorm(std::string conv_name, std::string norm_name, at::IntArrayRef shape,
           std::int64_t stride_, std::int64_t padding_, at::Generator& random)
      : conv(std::move(conv_name)),
        norm(std::move(norm_name)),
        stride(stride_),
        padding(padding_),
        kernel(at::empty(shape, at::kFloat)),
        weight(at::ones({shape[0]})),
        bias(at::zeros({shape[0]})),
        mean(at::zeros({shape[0]})),
        variance(at::ones({shape[0]})),
        batches(at::zeros({}, at::kLong)) {
    const double fan_out = static_cast<double>(shape[0] * shape[2] * shape[3]);
    kernel.normal_(0, std::sqrt(2 / fan_out), random);
    kernel = kernel.contiguous(at::MemoryFormat::ChannelsLast);
    for (at::Tensor* one : {&kernel, &weight, &bias}) one->requires_grad_(true);
  }

  void move_to(c10::Device device) {
    for (at::Tensor* one : {&kernel, &weight, &bias}) {
      *one = one->detach().to(device).requires_grad_(true);
    }
    for (at::Tensor* one : {&mean, &variance, &batches}) *one = one->to(device);
  }

  at::Tensor operator()(const at::Tensor& x, bool training) {
    if (training) {
      const c10::NoGradGuard no_gradients;
      batches.add_(1);
    }
    return batch_norm(at::conv2d(x, kernel, {}, stride, padding), {weight, bias, mean, variance},
                      training, kMomentum, kEpsilon, /*cudnn=*/false);
  }
};

struct Block {
  std::vector<ConvNorm> convs;
  std::vector<ConvNorm> downsample;  // one where the shape changes

  at::Tensor operator()(const at::Tensor& x, bool training) {
    at::Tensor y = x;
    for (std::size_t i = 0; i < convs.size(); ++i) {
      y = convs[i](y, training);
      if (i + 1 < convs.size()) y = at::relu(y);
    }
    return at::relu(y + (downsample.empty() ? x : downsample.front()(x, training)));
  }
};

}  // namespace

struct TrainableResNet::Network {
  std::vector<ConvNorm> stem;  // one
  std::vector<std::vector<Block>> layers;

  template <class Visit>
  void for_each(Visit&& visit) {
    visit(stem.front());
    for (auto& layer : layers) {
      for (Block& block : layer) {
        for (ConvNorm& one : block.convs) visit(one);
        for (ConvNorm& one : block.downsample) visit(one);
      }
    }
  }
};

namespace {

Block make_block(const ResNetShape& shape, const std::string& prefix, std::int64_t in,
                 std::int64_t out, std::int64_t stride, at::Generator& random) {
  Block block;
  const auto add = [&](int number, at::IntArrayRef sizes, std::int64_t by, std::int64_t padding) {
    block.convs.emplace_back(fmt::format("{}conv{}", prefix, number),
                             fmt::format("{}bn{}", prefix, number), sizes, by, padding, random);
  };
  if (shape.bottleneck) {
    const std::int64_t inner = out / kExpansion * shape.widening;
    add(1, {inner, in, 1, 1}, 1, 0);
    add(2, {inner, inner, 3, 3}, stride, 1);
    add(3, {out, inner, 1, 1}, 1, 0);
  } else {
    add(1, {out, in, 3, 3}, stride, 1);
    add(2, {out, out, 3, 3}, 1, 1);
  }
  if (in != out) {
    block.downsample.emplace_back(prefix + "downsample.0", prefix + "downsample.1",
                                  at::IntArrayRef({out, in, 1, 1}), stride, 0, random);
  }
  return block;
}

}  // namespace

TrainableResNet::TrainableResNet(const ResNetShape& shape, int layers, std::uint64_t seed,
                                 c10::Device device)
    : network_(std::make_unique<Network>()) {
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  network_->stem.emplace_back("conv1", "bn1", at::IntArrayRef({kStemChannels, 3, 7, 7}), 2, 3,
                              random);
  const std::vector<LayerInfo> infos = resnet_layers(shape);
  std::int64_t in = kStemChannels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(layers); ++i) {
    std::vector<Block>& blocks = network_->layers.emplace_back();
    for (int number = 0; number < shape.blocks[i]; ++number) {
      blocks.push_back(make_block(shape, fmt::format("{}.{}.", infos[i].name, number), in,
                                  infos[i].channels, i > 0 && number == 0 ? 2 : 1, random));
      in = infos[i].channels;
    }
  }
  network_->for_each([&](ConvNorm& one) { one.move_to(device); });
}

TrainableResNet::~TrainableResNet() = default;
TrainableResNet::TrainableResNet(TrainableResNet&&) noexcept = default;

std::vector<at::Tensor> TrainableResNet::forward(const at::Tensor& images, bool training) {
  at::Tensor x =
      images.to(network_->stem.front().kernel.device()).contiguous(at::MemoryFormat::ChannelsLast);
  x = at::max_pool2d(at::relu(network_->stem.front()(x, training)), {3, 3}, {2, 2}, {1, 1});
  std::vector<at::Tensor> features;
  for (auto& layer : network_->layers) {
    for (Block& block : layer) x = block(x, training);
    features.push_back(x);
  }
  return features;
}

std::vector<at::Tensor> TrainableResNet::parameters() {
  std::vector<at::Tensor> all;
  network_->for_each([&](const ConvNorm& one) {
    all.insert(all.end(), {one.kernel, one.weight, one.bias});
  });
  return all;
}

TensorMap TrainableResNet::state() {
  TensorMap all;
  network_->for_each([&](const ConvNorm& one) {
    all[one.conv + ".weight"] = one.kernel;
    all[one.norm + ".weight"] = one.weight;
    all[one.norm + ".bias"] = one.bias;
    all[one.norm + ".running_mean"] = one.mean;
    all[one.norm + ".running_var"] = one.variance;
    all[one.norm + ".num_batches_tracked"] = one.batches;
  });
  return all;
}

void TrainableResNet::load(const TensorMap& weights, const std::string& origin) {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : state()) {
    if (name.ends_with("num_batches_tracked")) continue;  // older files lack it
    const auto found = weights.find(name);
    if (found == weights.end() || found->second.sizes() != tensor.sizes()) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("{} should hold tensor \"{}\" [{}], but lacks it or has another "
                              "shape. Choose the backbone that the weights belong to.",
                              origin, name, fmt::join(tensor.sizes(), ", ")));
    }
    tensor.copy_(found->second);
  }
}

}  // namespace uad::models

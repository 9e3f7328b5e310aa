// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/resnet.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"

namespace uad::models {

namespace {

constexpr int kBlocksPerStage = 2;

// Takes tensors out of a state dict, checked, and remembers them for saving.
class Taker {
 public:
  Taker(const TensorMap& from, std::string origin, TensorMap& taken)
      : from_(from), origin_(std::move(origin)), taken_(taken) {}

  FusedConv conv(const std::string& conv_name, const std::string& norm_name, std::int64_t out,
                 std::int64_t in, std::int64_t kernel, const ConvOptions& options,
                 at::TensorOptions place) {
    const at::Tensor weight = take(conv_name + ".weight", {out, in, kernel, kernel});
    const BatchNorm norm{take(norm_name + ".weight", {out}), take(norm_name + ".bias", {out}),
                         take(norm_name + ".running_mean", {out}),
                         take(norm_name + ".running_var", {out})};
    return {fold_batch_norm(weight, norm), options, place};
  }

 private:
  at::Tensor take(const std::string& name, at::IntArrayRef shape) {
    const auto found = from_.find(name);
    if (found == from_.end()) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("Weights {} hold no tensor \"{}\" [{}], so they are not those of "
                              "resnet18. Fetch them again with scripts/fetch-weights.",
                              origin_, name, fmt::join(shape, ", ")));
    }
    if (found->second.sizes() != shape || !found->second.is_floating_point()) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("Tensor \"{}\" of {} is {} [{}], expected floating point [{}] for "
                              "resnet18. Fetch the weights again with scripts/fetch-weights.",
                              name, origin_, c10::toString(found->second.scalar_type()),
                              fmt::join(found->second.sizes(), ", "), fmt::join(shape, ", ")));
    }
    at::Tensor tensor = found->second.to(at::kCPU, at::kFloat).contiguous();
    taken_.emplace(name, tensor);
    return tensor;
  }

  const TensorMap& from_;
  std::string origin_;
  TensorMap& taken_;
};

}  // namespace

std::vector<LayerInfo> resnet18_layers() {
  return {{"layer1", 64, 4}, {"layer2", 128, 8}, {"layer3", 256, 16}};
}

ResNet18::ResNet18(const TensorMap& weights, const std::string& origin,
                   std::vector<LayerInfo> layers, at::TensorOptions place)
    : layers_(std::move(layers)), place_(place) {
  Taker take(weights, origin, weights_);
  stem_ = take.conv("conv1", "bn1", 64, 3, 7, {.stride = 2, .padding = 3}, place);
  std::int64_t deepest = 0;
  for (const LayerInfo& layer : layers_) deepest = std::max(deepest, layer.stride);

  std::int64_t in = 64;
  for (const LayerInfo& layer : resnet18_layers()) {
    if (layer.stride > deepest) break;
    Stage stage{layer.name, {}};
    for (int i = 0; i < kBlocksPerStage; ++i) {
      const std::string prefix = fmt::format("{}.{}.", layer.name, i);
      const std::int64_t out = layer.channels;
      const std::int64_t stride = in == out ? 1 : 2;
      Block block;
      block.first = take.conv(prefix + "conv1", prefix + "bn1", out, in, 3,
                              {.stride = stride, .padding = 1}, place);
      block.second =
          take.conv(prefix + "conv2", prefix + "bn2", out, out, 3, {.padding = 1}, place);
      if (in != out) {
        block.downsample = take.conv(prefix + "downsample.0", prefix + "downsample.1", out, in, 1,
                                     {.stride = stride, .relu = false}, place);
      }
      stage.blocks.push_back(std::move(block));
      in = out;
    }
    stages_.push_back(std::move(stage));
  }
}

// The residual is written into the skip tensor. Without a downsample that tensor is the block's
// input: always the pool's or another block's output that no caller sees, since a stage's first
// block either downsamples or reads the pool.
at::Tensor ResNet18::run(const Block& block, at::Tensor x) {
  const at::Tensor hidden = block.first(x);
  at::Tensor sum = block.downsample ? (*block.downsample)(x) : std::move(x);
  block.second.add_into(sum, hidden);
  return sum;
}

std::vector<at::Tensor> ResNet18::features(const at::Tensor& images) const {
  at::Tensor x = images.to(place_).contiguous(at::MemoryFormat::ChannelsLast);
  x = at::max_pool2d(stem_(x), {3, 3}, {2, 2}, {1, 1});
  std::vector<at::Tensor> features(layers_.size());
  for (const Stage& stage : stages_) {
    for (const Block& block : stage.blocks) x = run(block, std::move(x));
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].name == stage.name) features[i] = x;
    }
  }
  return features;
}

}  // namespace uad::models

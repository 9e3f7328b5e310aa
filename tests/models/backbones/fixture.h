// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights and inputs from a hash of their names, so that networks can be compared number by number
// without a download. Source: specification, representation-based detectors, section 8.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <ATen/ATen.h>

#include "core/checkpoint.h"
#include "models/backbones/resnet.h"

namespace uad::test {

inline std::uint64_t fnv1a(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash;
}

/// 0…1 for element `j` of the tensor whose name has that hash.
inline double hashed_unit(std::uint64_t hash, std::uint64_t j) {
  std::uint64_t z = hash + j + 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<double>(z >> 40) / 16777216.0;
}

/// -1…1, float32 of the given shape.
inline at::Tensor hashed_tensor(const std::string& name, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* values = tensor.mutable_data_ptr<float>();
  const std::uint64_t hash = fnv1a(name);
  const std::int64_t count = tensor.numel();
  for (std::int64_t j = 0; j < count; ++j) {
    values[j] = static_cast<float>(2 * hashed_unit(hash, j) - 1);
  }
  return tensor;
}

/// A parameter of rank 2 or more.
inline at::Tensor hashed_weight(const std::string& name, at::IntArrayRef shape) {
  at::Tensor tensor = hashed_tensor(name, shape);
  return tensor * std::sqrt(6.0 * static_cast<double>(shape[0]) / tensor.numel());
}

/// State dict of a ResNet up to layer 3 in torchvision's names.
inline TensorMap resnet_fixture(const models::ResNetShape& shape) {
  TensorMap weights;
  const auto conv = [&](const std::string& name, std::int64_t out, std::int64_t in,
                        std::int64_t kernel) {
    weights[name + ".weight"] = hashed_weight(name + ".weight", {out, in, kernel, kernel});
  };
  const auto norm = [&](const std::string& name, std::int64_t channels) {
    weights[name + ".weight"] = at::ones({channels});
    weights[name + ".bias"] = at::zeros({channels});
    weights[name + ".running_mean"] = at::zeros({channels});
    weights[name + ".running_var"] = at::ones({channels});
  };
  conv("conv1", 64, 3, 7);
  norm("bn1", 64);
  std::int64_t in = 64;
  for (int stage = 1; stage <= 3; ++stage) {
    const std::int64_t width = 32LL << stage;
    const std::int64_t inner = width * shape.widening;
    const std::int64_t out = shape.bottleneck ? 4 * width : width;
    for (int block = 0; block < shape.blocks[stage - 1]; ++block) {
      const std::string prefix =
          "layer" + std::to_string(stage) + "." + std::to_string(block) + ".";
      if (shape.bottleneck) {
        conv(prefix + "conv1", inner, in, 1);
        conv(prefix + "conv2", inner, inner, 3);
        conv(prefix + "conv3", out, inner, 1);
        norm(prefix + "bn1", inner);
        norm(prefix + "bn2", inner);
        norm(prefix + "bn3", out);
      } else {
        conv(prefix + "conv1", out, in, 3);
        conv(prefix + "conv2", out, out, 3);
        norm(prefix + "bn1", out);
        norm(prefix + "bn2", out);
      }
      if (in != out) {
        conv(prefix + "downsample.0", out, in, 1);
        norm(prefix + "downsample.1", out);
      }
      in = out;
    }
  }
  return weights;
}

/// @param name  e.g. "resnet18".
inline const models::ResNetShape& resnet_shape(const std::string& name) {
  const auto& shapes = models::resnet_shapes();
  return *std::ranges::find(shapes, name, &models::ResNetShape::name);
}

/// State dict of VGG16's convolutions in torchvision's names.
inline TensorMap vgg16_fixture() {
  TensorMap weights;
  std::int64_t in = 3;
  const auto conv = [&](int index, std::int64_t out) {
    const std::string name = "features." + std::to_string(index);
    weights[name + ".weight"] = hashed_weight(name + ".weight", {out, in, 3, 3});
    weights[name + ".bias"] = at::zeros({out});
    in = out;
  };
  for (const int index : {0, 2}) conv(index, 64);
  for (const int index : {5, 7}) conv(index, 128);
  for (const int index : {10, 12, 14}) conv(index, 256);
  for (const int index : {17, 19, 21, 24, 26, 28}) conv(index, 512);
  return weights;
}

inline TensorMap resnet18_fixture() { return resnet_fixture(resnet_shape("resnet18")); }

}  // namespace uad::test

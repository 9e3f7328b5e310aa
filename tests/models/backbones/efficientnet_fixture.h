// SPDX-License-Identifier: LGPL-2.1-or-later
// EfficientNets with hashed weights. The specification (IUF, section 13) hashes names of another
// family of files than torchvision's, which the network takes.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "models/backbones/efficientnet.h"
#include "tests/models/backbones/fixture.h"

namespace uad::test {

/// Blocks and channels of the stages up to stride 16.
struct EfficientNetStages {
  std::int64_t stem = 48;
  std::array<int, 5> blocks{2, 4, 4, 6, 6};
  std::array<std::int64_t, 5> channels{24, 32, 56, 112, 160};
};

/// State dict in torchvision's names, hashed by the specification's. Without stages B4's.
class EfficientNetFixture {
 public:
  explicit EfficientNetFixture(const EfficientNetStages& stages = {}) : in_(stages.stem) {
    conv("features.0.0", "_conv_stem", {in_, 3, 3, 3});
    norm("features.0.1", in_);
    constexpr std::array<std::int64_t, 5> kKernels{3, 3, 5, 3, 5};
    for (std::size_t i = 0; i < kKernels.size(); ++i) {
      stage(static_cast<int>(i) + 1, stages.blocks.at(i), i == 0 ? 1 : 6, kKernels.at(i),
            stages.channels.at(i));
    }
  }
  [[nodiscard]] const TensorMap& weights() const noexcept { return weights_; }

 private:
  void conv(const std::string& name, const std::string& hashed, at::IntArrayRef shape) {
    weights_[name + ".weight"] = hashed_weight("backbone." + hashed + ".weight", shape);
  }
  void biased(const std::string& name, const std::string& hashed, at::IntArrayRef shape) {
    conv(name, hashed, shape);
    weights_[name + ".bias"] = at::zeros({shape[0]});
  }
  void norm(const std::string& name, std::int64_t channels) {
    weights_[name + ".weight"] = at::ones({channels});
    weights_[name + ".bias"] = at::zeros({channels});
    weights_[name + ".running_mean"] = at::zeros({channels});
    weights_[name + ".running_var"] = at::ones({channels});
  }
  void stage(int number, int blocks, std::int64_t expansion, std::int64_t kernel,
             std::int64_t channels) {
    for (int i = 0; i < blocks; ++i) {
      block(fmt::format("features.{}.{}.block.", number, i),
            fmt::format("_blocks.{}.", block_number_++), expansion, kernel, channels);
    }
  }
  void block(const std::string& name, const std::string& hashed, std::int64_t expansion,
             std::int64_t kernel, std::int64_t channels) {
    const std::int64_t inner = in_ * expansion;
    int step = 0;
    if (expansion > 1) {
      conv(name + "0.0", hashed + "_expand_conv", {inner, in_, 1, 1});
      norm(name + "0.1", inner);
      step = 1;
    }
    const auto part = [&](int i) { return name + std::to_string(step + i); };
    conv(part(0) + ".0", hashed + "_depthwise_conv", {inner, 1, kernel, kernel});
    norm(part(0) + ".1", inner);
    biased(part(1) + ".fc1", hashed + "_se_reduce", {in_ / 4, inner, 1, 1});
    biased(part(1) + ".fc2", hashed + "_se_expand", {inner, in_ / 4, 1, 1});
    conv(part(2) + ".0", hashed + "_project_conv", {channels, inner, 1, 1});
    norm(part(2) + ".1", channels);
    in_ = channels;
  }

  TensorMap weights_;
  std::int64_t in_;
  int block_number_ = 0;
};

inline const models::EfficientNetShape& efficientnet_shape(const std::string& name) {
  return *std::ranges::find(models::efficientnet_shapes(), name, &models::EfficientNetShape::name);
}

/// B4 with all four layers, padded and normed as the specification's.
inline models::EfficientNet efficientnet_as_specified() {
  const models::EfficientNetShape& shape = efficientnet_shape("efficientnet_b4");
  return {shape,
          {.padding = models::EfficientNetOptions::Padding::kTf380, .bn_eps = 1e-3},
          EfficientNetFixture().weights(),
          "fixture",
          models::efficientnet_layers(shape),
          at::TensorOptions().dtype(at::kFloat)};
}

}  // namespace uad::test

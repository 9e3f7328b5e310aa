// SPDX-License-Identifier: LGPL-2.1-or-later
// EfficientNet-B4 with hashed weights. The specification (IUF, section 13) hashes names of another
// family of files than torchvision's, which the network takes.
#pragma once

#include <string>

#include <fmt/format.h>

#include "models/backbones/efficientnet_b4.h"
#include "tests/models/backbones/fixture.h"

namespace uad::test {

/// State dict in torchvision's names, hashed by the specification's.
class EfficientNetFixture {
 public:
  EfficientNetFixture() {
    conv("features.0.0", "_conv_stem", {48, 3, 3, 3});
    norm("features.0.1", 48);
    stage(1, 2, 1, 3, 24);
    stage(2, 4, 6, 3, 32);
    stage(3, 4, 6, 5, 56);
    stage(4, 6, 6, 3, 112);
    stage(5, 6, 6, 5, 160);
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
  std::int64_t in_ = 48;
  int block_number_ = 0;
};

/// All four layers, padded and normed as the specification's.
inline models::EfficientNetB4 efficientnet_as_specified() {
  return {{.padding = models::EfficientNetOptions::Padding::kTf380, .bn_eps = 1e-3},
          EfficientNetFixture().weights(),
          "fixture",
          models::efficientnet_b4_layers(),
          at::TensorOptions().dtype(at::kFloat)};
}

}  // namespace uad::test

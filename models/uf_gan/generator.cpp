// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/generator.h"

#include <array>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace uad::models::uf_gan {

namespace {

constexpr double kSlope = 0.3;
constexpr double kEncoderEpsilon = 2e-5;
constexpr double kDecoderEpsilon = 1e-3;
constexpr std::int64_t kGroups = 32;
constexpr std::int64_t kStemChannels = 64;

struct Stage {
  int units;
  std::int64_t width;   // inside of a unit; it gives twice as many channels
  std::int64_t stride;  // of the first unit
};
constexpr std::array<Stage, 4> kStages{{{3, 128, 1}, {4, 256, 2}, {6, 512, 2}, {3, 1024, 2}}};
constexpr std::size_t kBlocks = 5;

std::string unit_name(std::size_t stage, int unit) {
  return fmt::format("stage{}.unit{}.", stage + 1, unit + 1);
}

std::string block_name(std::size_t block) { return fmt::format("d{}.", block + 1); }

at::Tensor leaky(const at::Tensor& x) { return at::leaky_relu(x, kSlope); }

// ----- encoder

void add_encoder(Layout& layout) {
  layout.norm("bn_data", 3, /*scale=*/false);
  layout.conv("conv0", 3, kStemChannels, 7, false);
  layout.norm("bn0", kStemChannels);
  std::int64_t in = kStemChannels;
  for (std::size_t s = 0; s < kStages.size(); ++s) {
    const auto [units, width, stride] = kStages[s];
    for (int u = 0; u < units; ++u) {
      const std::string name = unit_name(s, u);
      layout.conv(name + "conv1", in, width, 1, false);
      layout.norm(name + "bn1", width);
      layout.conv(name + "conv2", width, width, 3, false, kGroups);
      layout.norm(name + "bn2", width);
      layout.conv(name + "conv3", width, 2 * width, 1, false);
      layout.norm(name + "bn3", 2 * width);
      if (u == 0) {
        layout.conv(name + "shortcut", in, 2 * width, 1, false);
        layout.norm(name + "shortcut_bn", 2 * width);
      }
      in = 2 * width;
    }
  }
}

struct Encoded {
  at::Tensor bridge;
  std::array<at::Tensor, 4> taps;  // from the deepest to conv0's
};

// The activations may be negative, so the zeros around count in the maximum.
at::Tensor pool(const at::Tensor& x) {
  return at::max_pool2d(at::constant_pad_nd(x, {1, 1, 1, 1}), 3, 2);
}

Encoded encode(const Layers& layers, const at::Tensor& images) {
  const auto norm = [&](const at::Tensor& x, const std::string& name) {
    return layers.norm(x, name, kEncoderEpsilon);
  };
  Encoded encoded;
  at::Tensor x = layers.conv(norm(images, "bn_data"), "conv0", 2, 3);
  x = leaky(norm(x, "bn0"));
  encoded.taps[3] = x;
  x = pool(x);
  for (std::size_t s = 0; s < kStages.size(); ++s) {
    for (int u = 0; u < kStages[s].units; ++u) {
      const std::string name = unit_name(s, u);
      const std::int64_t stride = u == 0 ? kStages[s].stride : 1;
      at::Tensor y = leaky(norm(layers.conv(x, name + "conv1", 1, 0), name + "bn1"));
      if (u == 0 && s > 0) encoded.taps[3 - s] = y;
      y = leaky(norm(layers.conv(y, name + "conv2", stride, 1, kGroups), name + "bn2"));
      y = norm(layers.conv(y, name + "conv3", 1, 0), name + "bn3");
      const at::Tensor shortcut =
          u == 0 ? norm(layers.conv(x, name + "shortcut", stride, 0), name + "shortcut_bn") : x;
      x = leaky(y + shortcut);
    }
  }
  encoded.bridge = x;
  return encoded;
}

// ----- decoder

std::int64_t block_width(std::int64_t size, std::size_t block) { return size >> block; }

void add_decoder(Layout& layout, std::int64_t size, std::int64_t kernel) {
  constexpr std::int64_t kLastKernel = 4;  // of the input's own convolution, too
  const std::int64_t last = block_width(size, kBlocks - 1);
  layout.conv("input", 3, last, kLastKernel, true);
  const std::array<std::int64_t, kBlocks> skips{kStages[3].width, kStages[2].width,
                                                kStages[1].width, kStemChannels, last};
  std::int64_t in = 2 * kStages[3].width;
  for (std::size_t b = 0; b < kBlocks; ++b) {
    const std::string name = block_name(b);
    const std::int64_t width = block_width(size, b);
    const std::int64_t both = width + skips[b];
    const std::int64_t side = b + 1 < kBlocks ? kernel : kLastKernel;
    layout.transposed(name + "up", in, width);
    layout.norm(name + "up_bn", width);
    layout.norm(name + "bn1", both);
    layout.conv(name + "conv1", both, width, side, true);
    layout.norm(name + "bn2", width);
    layout.conv(name + "conv2", width, width, side, true);
    layout.conv(name + "shortcut", both, width, 1, true);
    in = width;
  }
  layout.conv("out", in, 3, 1, true);
}

at::Tensor decode(const Layers& layers, const at::Tensor& images, const Encoded& encoded) {
  const auto norm = [&](const at::Tensor& x, const std::string& name) {
    return layers.norm(x, name, kDecoderEpsilon);
  };
  const at::Tensor input = leaky(layers.conv_same(images, "input"));
  at::Tensor x = encoded.bridge;
  for (std::size_t b = 0; b < kBlocks; ++b) {
    const std::string name = block_name(b);
    const at::Tensor up = norm(layers.conv_transposed(x, name + "up"), name + "up_bn");
    const at::Tensor both = at::cat({up, b < encoded.taps.size() ? encoded.taps[b] : input}, 1);
    at::Tensor y = layers.conv_same(leaky(norm(both, name + "bn1")), name + "conv1");
    y = layers.conv_same(leaky(norm(y, name + "bn2")), name + "conv2");
    x = y + layers.conv(both, name + "shortcut", 1, 0);
  }
  return layers.conv(x, "out", 1, 0).tanh();
}

}  // namespace

Layout generator_layout(std::int64_t size, std::int64_t kernel) {
  Layout layout;
  add_encoder(layout);
  add_decoder(layout, size, kernel);
  return layout;
}

at::Tensor generate(const TensorMap& weights, const at::Tensor& images, Pass pass, double momentum) {
  const Layers layers(weights, pass, momentum);
  return decode(layers, images, encode(layers, images));
}

}  // namespace uad::models::uf_gan

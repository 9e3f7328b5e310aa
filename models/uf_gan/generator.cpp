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

/// Of the encoder: without bias, with a norm.
Conv encoder_conv(const std::string& name, const std::string& norm, double slope) {
  return {.name = name, .norm = norm, .epsilon = kEncoderEpsilon, .slope = slope};
}

/// @param first  of its stage: it has a stride, and a shortcut of its own.
/// @return what the unit gives, and what its first convolution does.
std::vector<at::Tensor> run_unit(const Layers& layers, const std::string& name, bool first,
                                 std::int64_t stride, const at::Tensor& x) {
  const at::Tensor narrow = layers.conv(x, encoder_conv(name + "conv1", name + "bn1", kSlope));
  Conv grouped = encoder_conv(name + "conv2", name + "bn2", kSlope);
  grouped.stride = first ? stride : 1;
  grouped.zeros = 1;
  grouped.groups = kGroups;
  const at::Tensor y = layers.conv(narrow, grouped);
  at::Tensor sum = x;
  if (first) {
    Conv shortcut = encoder_conv(name + "shortcut", name + "shortcut_bn", 1);
    shortcut.stride = grouped.stride;
    sum = layers.conv(x, shortcut);
  }
  return {layers.conv_added(sum, y, encoder_conv(name + "conv3", name + "bn3", kSlope)), narrow};
}

Encoded encode(const Layers& layers, const at::Tensor& images) {
  Encoded encoded;
  Conv stem = encoder_conv("conv0", "bn0", kSlope);
  stem.stride = 2;
  stem.zeros = 3;
  at::Tensor x = layers.conv(layers.norm(images, "bn_data", kEncoderEpsilon, 1), stem);
  encoded.taps[3] = x;
  x = pool(x);
  for (std::size_t s = 0; s < kStages.size(); ++s) {
    for (int u = 0; u < kStages[s].units; ++u) {
      const std::string name = unit_name(s, u);
      const std::vector<at::Tensor> found =
          layers.part(name, {x}, [=](const Layers& of_unit, const std::vector<at::Tensor>& inputs) {
            return run_unit(of_unit, name, u == 0, kStages[s].stride, inputs[0]);
          });
      x = found[0];
      if (u == 0 && s > 0) encoded.taps[3 - s] = found[1];
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

Conv same(const std::string& name, double slope = 1) {
  return {.name = name, .slope = slope, .padding = Conv::Padding::kSame};
}

/// @param tap  what the encoder gives at this size.
at::Tensor run_block(const Layers& layers, const std::string& name, const at::Tensor& x,
                     const at::Tensor& tap) {
  const at::Tensor up =
      layers.up(x, {.name = name + "up", .norm = name + "up_bn", .epsilon = kDecoderEpsilon});
  const at::Tensor both = at::cat({up, tap}, 1);
  const auto active = [&](const at::Tensor& of, const char* norm) {
    return layers.norm(of, name + norm, kDecoderEpsilon, kSlope);
  };
  const at::Tensor y = layers.conv(active(both, "bn1"), same(name + "conv1"));
  return layers.conv(active(y, "bn2"), same(name + "conv2")) +
         layers.conv(both, {.name = name + "shortcut"});
}

at::Tensor decode(const Layers& layers, const at::Tensor& images, const Encoded& encoded) {
  const at::Tensor input = layers.conv(images, same("input", kSlope));
  at::Tensor x = encoded.bridge;
  for (std::size_t b = 0; b < kBlocks; ++b) {
    const std::string name = block_name(b);
    const at::Tensor& tap = b < encoded.taps.size() ? encoded.taps[b] : input;
    x = layers
            .part(name, {x, tap},
                  [=](const Layers& of_block, const std::vector<at::Tensor>& inputs) {
                    return std::vector{run_block(of_block, name, inputs[0], inputs[1])};
                  })
            .front();
  }
  return layers.conv(x, {.name = "out"}).tanh();
}

}  // namespace

Layout generator_layout(std::int64_t size, std::int64_t kernel) {
  Layout layout;
  add_encoder(layout);
  add_decoder(layout, size, kernel);
  return layout;
}

at::Tensor generate(const Layers& layers, const at::Tensor& images) {
  return decode(layers, images, encode(layers, images));
}

}  // namespace uad::models::uf_gan

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/gabor.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

namespace uad::models {

namespace {

constexpr int kOrientations = 6;
constexpr int kRadius = 4;            // of a filter: 9x9 taps
constexpr double kWavelength = 5;     // pixels of its pyramid level
constexpr double kSigma = 2;          // pixels: about one and a half waves are seen
constexpr double kNoiseFloor = 0.02;  // energy (0…1 scale) where the response turns logarithmic
constexpr double kColourGain = 10;    // a tenth of full scale weighs like a clear edge

// Mean and maximum of each orientation's energy at so many widths, three colours, contrast.
constexpr std::int64_t channels(std::int64_t widths) { return widths * 2 * kOrientations + 3 + 1; }

// Even and odd waves of every direction. Zero mean, so that brightness alone excites none; scaled
// so that the sinusoid they are made for answers with its amplitude.
at::Tensor make_waves() {
  const int size = 2 * kRadius + 1;
  at::Tensor waves = at::empty({2 * kOrientations, 1, size, size}, at::kDouble);
  for (int i = 0; i < 2 * kOrientations; ++i) {
    const double angle = std::numbers::pi * (i % kOrientations) / kOrientations;
    const double phase = i < kOrientations ? 0 : std::numbers::pi / 2;
    double* taps = waves[i].mutable_data_ptr<double>();
    for (int y = -kRadius; y <= kRadius; ++y) {
      for (int x = -kRadius; x <= kRadius; ++x) {
        const double along = x * std::cos(angle) + y * std::sin(angle);
        const double window = std::exp(-(x * x + y * y) / (2 * kSigma * kSigma));
        *taps++ = window * std::cos(2 * std::numbers::pi * along / kWavelength - phase);
      }
    }
  }
  waves -= waves.mean({2, 3}, true);
  return (waves * (2 / waves.abs().sum({2, 3}, true))).to(at::kFloat);
}

at::Tensor halve(const at::Tensor& map) {
  return at::avg_pool2d(map, {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true,
                        /*count_include_pad=*/false);
}

// Means over cells; cells cut by the right or lower edge are means over what they have.
at::Tensor cell_means(const at::Tensor& map, std::int64_t cell) {
  return at::avg_pool2d(map, {cell, cell}, {cell, cell}, {0, 0}, true, false);
}

at::Tensor cell_maxima(const at::Tensor& map, std::int64_t cell) {
  return at::max_pool2d(map, {cell, cell}, {cell, cell}, {0, 0}, {1, 1}, true);
}

}  // namespace

std::vector<LayerInfo> gabor_layers() {
  return {{"layer1", channels(1), 4}, {"layer2", channels(2), 8}, {"layer3", channels(2), 16}};
}

Gabor::Gabor(std::vector<LayerInfo> layers, c10::Device device) : layers_(std::move(layers)) {
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}, at::kDouble);
  const at::Tensor std = at::tensor({0.229, 0.224, 0.225}, at::kDouble);
  const at::Tensor mix =
      at::tensor({0.299, 0.587, 0.114, 1.0, -1.0, 0.0, 0.5, 0.5, -1.0}, at::kDouble).view({3, 3});
  opponent_ = (mix * std).view({3, 3, 1, 1}).to(device, at::kFloat);
  offset_ = mix.mv(mean).to(device, at::kFloat);
  waves_ = make_waves().to(device);
}

// [N, orientations, h, w], compressed: 1 is a contrast of about twice the noise floor.
at::Tensor Gabor::energies(const at::Tensor& luminance) const {
  // Edges are repeated outwards; zeros would look like a frame around every image.
  const at::Tensor padded = at::replication_pad2d(luminance, {kRadius, kRadius, kRadius, kRadius});
  const at::Tensor answers = at::conv2d(padded, waves_).square();
  const at::Tensor energy =
      (answers.slice(1, 0, kOrientations) + answers.slice(1, kOrientations)).sqrt();
  return at::log1p(energy / kNoiseFloor);
}

std::vector<at::Tensor> Gabor::features(const at::Tensor& images) const {
  const at::Tensor colours = at::conv2d(images.to(waves_.device(), at::kFloat), opponent_, offset_);
  const at::Tensor luminance = colours.slice(1, 0, 1).contiguous();
  std::vector<at::Tensor> features;
  for (const LayerInfo& layer : layers_) {
    // Waves about as long as the cell and as half of it (the finest layer: the cell only).
    std::vector<at::Tensor> channels;
    at::Tensor level = luminance;
    for (std::int64_t cell = layer.stride; cell >= 4; cell /= 2) {
      const bool seen = cell == 4 || cell == 8;
      if (seen) {
        const at::Tensor energy = energies(level);
        channels.push_back(cell_means(energy, cell));
        channels.push_back(cell_maxima(energy, cell));
      }
      level = halve(level);
    }
    const at::Tensor means = cell_means(colours, layer.stride);
    const at::Tensor spread =
        cell_means(luminance.square(), layer.stride) - means.slice(1, 0, 1).square();
    channels.push_back(means * kColourGain);
    channels.push_back(spread.clamp_min(0).sqrt() * kColourGain);
    features.push_back(at::cat(channels, 1).contiguous(at::MemoryFormat::ChannelsLast));
  }
  return features;
}

}  // namespace uad::models

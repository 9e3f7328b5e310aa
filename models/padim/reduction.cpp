// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/reduction.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad::models::padim {

namespace {

// `count` distinct numbers of first … first + size - 1.
void draw(std::int64_t first, std::int64_t size, std::int64_t count, std::mt19937_64& random,
          std::vector<std::int64_t>& drawn) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), first);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto rest = static_cast<std::uint64_t>(size - i);  // modulo: std distributions differ
    std::swap(numbers[i], numbers[i + static_cast<std::int64_t>(random() % rest)]);
  }
  drawn.insert(drawn.end(), numbers.begin(), numbers.begin() + count);
}

std::vector<std::int64_t> draw_channels(bool by_layer, const std::vector<LayerInfo>& layers,
                                        std::int64_t features, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> drawn;
  if (!by_layer) {
    draw(0, total_channels(layers), features, random, drawn);
  } else {
    const auto share = features / std::ssize(layers);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool last = i + 1 == layers.size();
      const std::int64_t wanted = last ? features - std::ssize(drawn) : share;
      draw(first, layers[i].channels, std::min(wanted, layers[i].channels), random, drawn);
      first += layers[i].channels;
    }
  }
  std::ranges::sort(drawn);
  return drawn;
}

// float32 [all, features]; drawn and made orthonormal in float64.
at::Tensor draw_mixture(const std::string& name, std::int64_t all, std::int64_t features,
                        std::uint64_t seed) {
  const at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  if (name == "gaussian") return at::randn({all, features}, random, at::kFloat);
  if (name == "svd_ortho") {
    const at::Tensor uniform = at::rand({features, all}, random, at::kDouble);
    const auto [u, strengths, right] = at::linalg_svd(uniform, /*full_matrices=*/false);
    return right.t().to(at::kFloat).contiguous();
  }
  const at::Tensor normal = at::randn({all, features}, random, at::kDouble);
  const auto [q, r] = at::linalg_qr(normal);
  return (q * r.diagonal().sign()).to(at::kFloat).contiguous();
}

}  // namespace

const std::vector<std::string>& reduction_names() {
  static const std::vector<std::string> names{"sample", "h_sample", "ortho", "svd_ortho",
                                              "gaussian"};
  return names;
}

Reduction::Reduction(const std::string& name, const std::vector<LayerInfo>& layers,
                     std::int64_t features, std::uint64_t seed) {
  const std::int64_t all = total_channels(layers);
  if (features < 1 || features > all) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option n_features is {}, but the layers have {} channels together. "
                            "Set it to 1 … {}.",
                            features, all, all));
  }
  if (name == "sample" || name == "h_sample") {
    const auto drawn = draw_channels(name == "h_sample", layers, features, seed);
    channels_ = at::tensor(drawn, at::kLong);
  } else {
    mixture_ = draw_mixture(name, all, features, seed);
  }
  split(layers);
}

Reduction::Reduction(const CheckpointReader& in, const std::vector<LayerInfo>& layers) {
  const std::int64_t all = total_channels(layers);
  if (in.has("mixture")) {
    mixture_ = in.get("mixture", at::kFloat, {all, -1});
  } else {
    channels_ = in.get("channels", at::kLong, {-1});
    const bool ascending =
        channels_.numel() > 0 &&
        (channels_.diff(1, 0, at::full({1}, -1, at::kLong)) > 0).all().item<bool>();
    if (!ascending || channels_[-1].item<std::int64_t>() >= all) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("Tensor 'channels' in file '{}' should hold ascending numbers below "
                              "{}, but does not. Train the model again.",
                              in.file_name(), all));
    }
  }
  split(layers);
}

void Reduction::save(CheckpointWriter& out) const {
  if (mixture_.defined()) {
    out.add("mixture", mixture_);
  } else {
    out.add("channels", channels_);
  }
}

std::int64_t Reduction::features() const {
  return mixture_.defined() ? mixture_.size(1) : channels_.size(0);
}

void Reduction::split(const std::vector<LayerInfo>& layers) {
  std::int64_t first = 0;
  for (const LayerInfo& layer : layers) {
    const std::int64_t next = first + layer.channels;
    if (mixture_.defined()) {
      parts_.push_back(mixture_.slice(0, first, next).t().unsqueeze(2).unsqueeze(3).contiguous());
    } else {
      const at::Tensor here = (channels_ >= first).logical_and(channels_ < next);
      parts_.push_back(channels_.index({here}) - first);
    }
    first = next;
  }
}

// Mixing and enlarging by repetition can change places, so that a coarse layer is mixed on its own
// small grid.
at::Tensor Reduction::operator()(const std::vector<at::Tensor>& maps) const {
  const at::IntArrayRef grid = maps.front().sizes().slice(2);
  std::vector<at::Tensor> reduced;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const at::Tensor part = parts_[i].to(maps[i].device());
    at::Tensor map = mixture_.defined() ? at::conv2d(maps[i].to(at::kFloat), part)
                                        : maps[i].index_select(1, part).to(at::kFloat);
    map = map.contiguous();
    if (map.sizes().slice(2) != grid) map = at::upsample_nearest2d(map, grid);
    reduced.push_back(std::move(map));
  }
  if (!mixture_.defined()) return at::cat(reduced, 1);
  at::Tensor sum = std::move(reduced.front());
  for (std::size_t i = 1; i < reduced.size(); ++i) sum = sum + reduced[i];
  return sum;
}

}  // namespace uad::models::padim

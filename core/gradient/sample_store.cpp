// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/sample_store.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/files/sha256.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

/// uint8 [H, W] or [H, W, C] as an image.
Image to_image(const at::Tensor& tensor) {
  const at::Tensor packed = tensor.contiguous();
  const std::uint8_t* first = packed.data_ptr<std::uint8_t>();
  Image image{static_cast<int>(packed.size(1)),
              static_cast<int>(packed.size(0)),
              packed.dim() == 3 ? static_cast<int>(packed.size(2)) : 1,
              {}};
  image.pixels.assign(first, first + packed.numel());
  return image;
}

/// [N, 1, H, W] of one image each; undefined if they are empty. Plain loops: this runs on threads
/// that must not open parallel regions of their own.
template <class Value>
at::Tensor stack(const std::vector<Sample>& samples, Image Sample::*which, at::ScalarType type) {
  const Image& first = samples.front().*which;
  if (first.pixels.empty()) return {};
  at::Tensor all =
      at::empty({static_cast<std::int64_t>(samples.size()), 1, first.height, first.width}, type);
  Value* out = all.data_ptr<Value>();
  for (const Sample& sample : samples) {
    const std::vector<std::uint8_t>& pixels = (sample.*which).pixels;
    out = std::copy(pixels.begin(), pixels.end(), out);
  }
  return all;
}

}  // namespace

Image to_levels(const at::Tensor& tile, const InputSpec& input) {
  const at::Tensor mean = at::tensor(at::ArrayRef<float>(input.mean));
  const at::Tensor std = at::tensor(at::ArrayRef<float>(input.std));
  const at::Tensor levels =
      ((tile.permute({1, 2, 0}) * std + mean) * 255).round().clamp(0, 255).to(at::kByte);
  const at::Tensor first = levels.select(2, 0);
  const bool grey = first.equal(levels.select(2, 1)) && first.equal(levels.select(2, 2));
  return to_image(grey ? first : levels);
}

void SampleStore::add(const Tiles& tiles) {
  for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
    Sample sample{to_levels(tiles.images[i], input_), {}, {}};
    if (tiles.masks.defined()) sample.mask = to_image(tiles.masks[i][0]);
    if (tiles.keep.defined()) sample.keep = to_image(tiles.keep[i][0]);
    const Image& image = sample.image;
    if (!samples_.empty() && (image.width != samples_.front().image.width ||
                              image.height != samples_.front().image.height)) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Images that are learnt from in batches need one size, but the first "
                              "has {}x{} pixels at the network's input and another {}x{}. Give "
                              "both sides in --resize, without --keep-aspect.",
                              samples_.front().image.width, samples_.front().image.height,
                              image.width, image.height));
    }
    labels_.push_back(tiles.labels.defined() ? tiles.labels[i].item<std::int64_t>() : 0);
    names_.push_back(tiles.names.empty() ? fmt::format("#{}", samples_.size() + 1)
                                         : tiles.names.at(static_cast<std::size_t>(i)));
    samples_.push_back(std::move(sample));
  }
}

void SampleStore::move_to(SampleStore& other, const std::vector<std::size_t>& indices) {
  for (const std::size_t i : indices) {
    other.samples_.push_back(std::move(samples_.at(i)));
    other.labels_.push_back(labels_.at(i));
    other.names_.push_back(std::move(names_.at(i)));
  }
  for (auto i = indices.rbegin(); i != indices.rend(); ++i) {
    samples_.erase(samples_.begin() + static_cast<std::ptrdiff_t>(*i));
    labels_.erase(labels_.begin() + static_cast<std::ptrdiff_t>(*i));
    names_.erase(names_.begin() + static_cast<std::ptrdiff_t>(*i));
  }
}

std::int64_t SampleStore::bytes() const noexcept {
  std::size_t sum = 0;
  for (const Sample& sample : samples_) {
    sum += sample.image.pixels.size() + sample.mask.pixels.size() + sample.keep.pixels.size();
  }
  return static_cast<std::int64_t>(sum);
}

Batch SampleStore::to_batch(const std::vector<Sample>& samples,
                            const std::vector<std::int64_t>& labels) const {
  const Image& first = samples.front().image;
  Batch batch;
  at::Tensor images = at::empty(
      {static_cast<std::int64_t>(samples.size()), first.height, first.width, 3}, at::kFloat);
  float* out = images.data_ptr<float>();
  for (const Sample& sample : samples) out = normalise_into(sample.image, input_, out);
  batch.images = images.permute({0, 3, 1, 2});
  batch.keep = stack<std::uint8_t>(samples, &Sample::keep, at::kByte);
  batch.masks = stack<float>(samples, &Sample::mask, at::kFloat);
  batch.labels = at::tensor(labels, at::kLong);
  return batch;
}

Batch SampleStore::range(std::size_t first, std::size_t last) const {
  std::vector<Sample> samples;
  std::vector<std::int64_t> labels;
  std::vector<Draw> draws;
  for (std::size_t i = first; i < std::min(last, size()); ++i) {
    samples.push_back(samples_[i]);
    labels.push_back(labels_[i]);
    draws.push_back({i, 0});
  }
  Batch batch = to_batch(samples, labels);
  batch.draws = std::move(draws);
  return batch;
}

std::string SampleStore::sha256() const {
  Sha256 sha;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const Sample& one = samples_[i];
    const std::string head = fmt::format("{}x{}x{} {}\n", one.image.width, one.image.height,
                                         one.image.channels, labels_[i]);
    sha.add(head.data(), head.size());
    for (const Image* image : {&one.image, &one.mask, &one.keep}) {
      sha.add(image->pixels.data(), image->pixels.size());
    }
  }
  return sha.hex();
}

}  // namespace uad

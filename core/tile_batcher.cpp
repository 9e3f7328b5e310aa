// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tile_batcher.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace uad {

at::Tensor joined(const std::vector<at::Tensor>& tensors) {
  if (!tensors.front().defined()) return {};
  return tensors.size() == 1 ? tensors.front() : at::cat(tensors);
}

at::Tensor part_of(const at::Tensor& tensor, std::int64_t first, std::int64_t end) {
  return tensor.defined() ? tensor.slice(0, first, end) : tensor;
}

void TileBatcher::add(const LabelledFrame& frame, const TensorTiles& tiles,
                      const TileTruth& truth) {
  const bool fits = images_.empty() || (tiles.images().sizes() == images_.front().sizes() &&
                                        tiles.keep().defined() == keeps_.front().defined());
  if (!fits) flush();
  images_.push_back(tiles.images());
  keeps_.push_back(tiles.keep());
  labels_.push_back(truth.labels);
  masks_.push_back(truth.masks);
  const auto count = static_cast<std::size_t>(tiles.images().size(0));
  names_.insert(names_.end(), count, frame.name);
  products_.insert(products_.end(), count, frame.product);
  if (fitter_.reads_frame_means()) means_.insert(means_.end(), count, tiles.frame_mean());
  if (images_.size() >= static_cast<std::size_t>(frames_)) flush();
}

void TileBatcher::flush() {
  if (images_.empty()) return;
  const at::Tensor images = joined(images_);
  const at::Tensor keep = joined(keeps_);
  const at::Tensor labels = joined(labels_);
  const at::Tensor masks = joined(masks_);
  const at::Tensor means = means_.empty() ? at::Tensor() : at::tensor(means_, at::kFloat);
  const std::int64_t windows = images_.front().size(0);
  const std::int64_t step =
      std::max<std::int64_t>(1, kPixelsPerBatch / (images.size(2) * images.size(3)));
  for (std::int64_t i = 0; i < images.size(0); i += step) {
    const std::int64_t end = std::min(i + step, images.size(0));
    fitter_.observe({.images = part_of(images, i, end),
                     .keep = part_of(keep, i, end),
                     .windows = windows,
                     .first_window = i % windows,
                     .labels = part_of(labels, i, end),
                     .masks = part_of(masks, i, end),
                     .names = {names_.begin() + i, names_.begin() + end},
                     .products = {products_.begin() + i, products_.begin() + end},
                     .frame_means = part_of(means, i, end)});
  }
  observed_ += images_.size();
  images_.clear();
  keeps_.clear();
  labels_.clear();
  masks_.clear();
  names_.clear();
  products_.clear();
  means_.clear();
}

}  // namespace uad

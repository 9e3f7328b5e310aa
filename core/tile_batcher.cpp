// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tile_batcher.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace uad {

void TileBatcher::add(const TensorTiles& tiles) {
  const bool fits = images_.empty() || (tiles.images().sizes() == images_.front().sizes() &&
                                        tiles.keep().defined() == keeps_.front().defined());
  if (!fits) flush();
  images_.push_back(tiles.images());
  keeps_.push_back(tiles.keep());
  if (images_.size() >= static_cast<std::size_t>(frames_)) flush();
}

void TileBatcher::flush() {
  if (images_.empty()) return;
  const at::Tensor images = images_.size() == 1 ? images_.front() : at::cat(images_);
  const std::int64_t windows = images_.front().size(0);
  const bool masked = keeps_.front().defined();
  const at::Tensor keep = masked ? at::cat(keeps_) : at::Tensor();
  const std::int64_t step =
      std::max<std::int64_t>(1, kPixelsPerBatch / (images.size(2) * images.size(3)));
  for (std::int64_t i = 0; i < images.size(0); i += step) {
    const std::int64_t end = std::min(i + step, images.size(0));
    fitter_.observe(
        {images.slice(0, i, end), masked ? keep.slice(0, i, end) : keep, windows, i % windows});
  }
  observed_ += images_.size();
  images_.clear();
  keeps_.clear();
}

}  // namespace uad

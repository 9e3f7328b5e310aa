// SPDX-License-Identifier: LGPL-2.1-or-later
// Image files as a source of frames.
#pragma once

#include <memory>
#include <vector>

#include "core/data/dataset.h"
#include "core/data/frame_source.h"

namespace uad {

struct ImageSourceOptions {
  bool strict = false;  ///< unreadable images, missing and unfitting masks are errors
  /// false: a defective image without a mask is nothing to tell of.
  bool masks = true;
  /// Worker threads that decode ahead; 0 = one per core, 4 at most.
  std::size_t threads = 0;
  /// Decoded images that may wait for each worker.
  std::size_t ahead = 2;
};

/// Frames of a list, in its order; `items` may be any part of a data set. Files are decoded on
/// worker threads from the first call of next() on.
std::unique_ptr<FrameSource> open_images(std::vector<ImageItem> items,
                                         const ImageSourceOptions& options = {});

}  // namespace uad

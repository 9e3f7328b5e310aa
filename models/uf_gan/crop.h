// SPDX-License-Identifier: LGPL-2.1-or-later
// The flattest part of an image, which is learnt from, and what the whole of it is like.
// Source: specification, UF-GAN, sections 2.1 and 3.2.
#pragma once

#include <vector>

#include "core/base/pixels/image.h"
#include "models/uf_gan/shots.h"

namespace uad::models::uf_gan {

/// Where windows begin along a side: 0, step, 2 step …, and the last one ends with the side.
[[nodiscard]] std::vector<int> window_positions(int length, int window, int step);

struct FlatPart {
  Point origin;   ///< of the window of the smallest deviation, the first one of equals
  Levels levels;  ///< of the whole image
};

/// @param image  8 bits, any number of channels, no side shorter than `window`. @note Thread-safe.
[[nodiscard]] FlatPart find_flat_part(const Image& image, int window, int step);

}  // namespace uad::models::uf_gan

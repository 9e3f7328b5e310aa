// SPDX-License-Identifier: LGPL-2.1-or-later
// What a network drew anew beside what it saw: how alike the two are, in figures and as a picture.
#pragma once

#include <vector>

#include "core/anomaly_model.h"
#include "core/base/geometry/input_spec.h"
#include "core/base/pixels/image.h"

namespace uad {

/// Of pixels of 0 … 1.
struct Likeness {
  double mse = 0;   ///< mean squared error
  double mae = 0;   ///< mean absolute error
  double ssim = 0;  ///< structural similarity, 1 = the same
};

/// Over all pixels and channels; SSIM as Wang et al., IEEE TIP 13(4), 2004: Gaussian window of
/// 11x11 with sigma 1.5, K 0.01 and 0.03, over the windows that lie inside.
/// @param image, copy  of one size, 11 pixels or more a side, and as many channels.
[[nodiscard]] Likeness likeness(const Image& image, const Image& copy);

/// Tile by tile, as levels of 8 bits: what lies outside of them is cut off.
struct RedrawnTile {
  Image image;  ///< RGB
  Image copy;   ///< RGB
};
[[nodiscard]] std::vector<RedrawnTile> redrawn_tiles(const Redrawing& redrawing,
                                                     const InputSpec& input);

/// A row for each tile: image, copy, and the absolute difference, the mean of the channels.
[[nodiscard]] Image draw_redrawn(const std::vector<RedrawnTile>& tiles);

}  // namespace uad

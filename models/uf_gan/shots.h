// SPDX-License-Identifier: LGPL-2.1-or-later
// Which few images are learnt from: most of them flat, some in the middle, some lively.
// Source: specification, UF-GAN, section 2.1.
#pragma once

#include <cstddef>
#include <vector>

namespace uad::models::uf_gan {

/// Of all pixels and channels of an image.
struct Levels {
  double mean = 0;
  double deviation = 0;  ///< of the population
};

/// No image twice while there are others. @param shots  wanted; all images if there are fewer.
/// @return indices, in the order of their groups. @note Thread-safe.
[[nodiscard]] std::vector<std::size_t> choose_shots(const std::vector<Levels>& images,
                                                    std::size_t shots);

}  // namespace uad::models::uf_gan

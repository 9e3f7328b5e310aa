// SPDX-License-Identifier: LGPL-2.1-or-later
// Random changes of training images that leave good parts good; the mask changes with its image.
#pragma once

#include <cstdint>

#include "core/base/pixels/image.h"

namespace uad {

/// Nothing is changed by default. Applied in this order.
struct Augmentation {
  Size crop{};                   ///< random part of this size; {0, 0} = none
  bool flip_horizontal = false;  ///< with probability 1/2
  bool flip_vertical = false;    ///< with probability 1/2
  int quarter_turns = 0;  ///< anti-clockwise by up to so many times 90 degrees (1 … 3); square only
  double rotation = 0;    ///< by up to so many degrees either way; edges are mirrored
  double brightness = 0;  ///< by up to this share of full scale either way
  double contrast = 0;    ///< by up to this share either way, around mid grey
  bool operator==(const Augmentation&) const = default;
};

/// 8-bit image with its mask and its "look here" mask; an empty one stays empty.
struct Sample {
  Image image;  ///< 1 or 3 channels
  Image mask;   ///< 1 channel, 1 = defect
  Image keep;   ///< 1 channel, 1 = look
};

/// The same `seed` gives the same change. @throws Error(kBadOption) if the crop is larger than the
/// image, or if it has to be turned by a quarter and is not square. @note Thread-safe.
[[nodiscard]] Sample augment(const Sample& sample, const Augmentation& how, std::uint64_t seed);

}  // namespace uad

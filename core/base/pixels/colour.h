// SPDX-License-Identifier: LGPL-2.1-or-later
// An opaque colour to paint with.
#pragma once

#include <cstdint>

namespace uad {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Colour&) const = default;
};

inline constexpr Colour kBlack{0, 0, 0};
inline constexpr Colour kWhite{255, 255, 255};

/// Perceived brightness, 0…255 (BT.601).
constexpr int brightness(Colour colour) {
  return (299 * colour.red + 587 * colour.green + 114 * colour.blue + 500) / 1000;
}

}  // namespace uad

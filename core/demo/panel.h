// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of display panels with and without mura, drawn: no public set of them exists. Whatever
// is measured on them says nothing about real panels.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/pixels/image.h"

namespace uad::demo {

enum class Mura {
  kNone,
  kLine,    ///< across or down, the whole panel
  kSpot,    ///< a few pixels wide
  kBlob,    ///< a cloud of irregular outline
  kCorner,  ///< light that leaks in from a corner
  kUneven,  ///< brightness that falls off to one side
  kFaint    ///< a large cloud of low contrast
};
inline constexpr std::array kMuras{Mura::kLine,   Mura::kSpot,   Mura::kBlob,
                                   Mura::kCorner, Mura::kUneven, Mura::kFaint};

/// "normal", "line", "spot", "blob", "corner", "uneven", "faint".
const char* to_string(Mura mura);

enum class Severity {
  kLight,   ///< a good panel may have it
  kSerious  ///< a defect
};

struct Panel {
  Image image;  ///< RGB
  Image mask;   ///< 1 channel, 255 = where a serious mura differs by half of its strength and more
};

inline constexpr Size kPanelSize{481, 271};  ///< of the set that UF-GAN was published with

/// The same arguments give the same picture. @note Thread-safe.
Panel draw_panel(Size size, std::uint64_t seed, Mura mura, Severity severity);

}  // namespace uad::demo

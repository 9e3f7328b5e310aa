// SPDX-License-Identifier: LGPL-2.1-or-later
// Written by resize_pillow.py: seed 20240607, Pillow 12.1.0, numpy 2.4.6; bit-equal, no tolerance.
#pragma once

#include <cstdint>

namespace uad::golden {

inline constexpr std::uint64_t kResizeSeed = 20240607;

struct ResizeCase {
  int width, height, to_width, to_height, channels;
  int first, last;     // bytes of the result
  std::uint64_t hash;  // FNV-1a of all its bytes
};

inline constexpr ResizeCase kResizeCases[] = {
    {8, 8, 3, 3, 1, 103, 111, 0xc6ed06c683aaf81b},
    {8, 8, 3, 3, 3, 109, 124, 0xc3bc07caa20d35ac},
    {1, 1, 5, 4, 3, 100, 254, 0xb4f8dc8e7b833501},
    {7, 5, 1, 1, 3, 136, 125, 0x71b7811b05edb62e},
    {13, 9, 13, 4, 3, 127, 94, 0x1627cd9c6194ae5a},
    {13, 9, 6, 9, 3, 97, 176, 0xed6b055fecbe53e5},
    {17, 31, 32, 16, 3, 163, 115, 0xd0dec48d874a3af2},
    {64, 48, 63, 47, 3, 101, 154, 0x1f960feaedf8a60c},
    {101, 77, 256, 256, 3, 100, 209, 0x4116667c4bff4367},
    {500, 333, 256, 256, 3, 96, 132, 0x179d1aaee0b72ebf},
    {640, 480, 224, 224, 1, 122, 136, 0xde183a21a2e008f2},
    {1920, 1080, 256, 256, 3, 133, 126, 0xc65ab2c0ab0a50fd},
    {333, 1201, 64, 640, 3, 139, 150, 0x249f966414ced44b},
    {1000, 3, 10, 7, 3, 132, 112, 0x767441cafac1333f},
};

}  // namespace uad::golden

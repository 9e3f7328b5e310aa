#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes resize_pillow.h beside it: what Pillow's BILINEAR makes of seeded noise.

Run: python3 tests/golden/resize_pillow.py   (needs Pillow before 13, and numpy)

Pillow 13 takes some images vertically first, which moves single bytes by one level; all versions
before go horizontally first, as we do.
"""
import pathlib

import numpy
import PIL
from PIL import Image

SEED = 20240607
# from width, from height, to width, to height, channels
CASES = [
    (8, 8, 3, 3, 1), (8, 8, 3, 3, 3), (1, 1, 5, 4, 3), (7, 5, 1, 1, 3), (13, 9, 13, 4, 3),
    (13, 9, 6, 9, 3), (17, 31, 32, 16, 3), (64, 48, 63, 47, 3), (101, 77, 256, 256, 3),
    (500, 333, 256, 256, 3), (640, 480, 224, 224, 1), (1920, 1080, 256, 256, 3),
    (333, 1201, 64, 640, 3), (1000, 3, 10, 7, 3),
]


def noise(count):
    """Bytes of SplitMix64: the same generator is in the test."""
    with numpy.errstate(over="ignore"):
        z = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z += numpy.uint64(SEED)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> numpy.uint64(31))) >> numpy.uint64(56)).astype(numpy.uint8)


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
    return value


def main():
    assert int(PIL.__version__.split(".")[0]) < 13, "install Pillow 12"
    rows = []
    for width, height, to_width, to_height, channels in CASES:
        pixels = noise(width * height * channels).reshape(height, width, channels)
        image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
        resized = image.resize((to_width, to_height), Image.BILINEAR).tobytes()
        rows.append(f"    {{{width}, {height}, {to_width}, {to_height}, {channels}, {resized[0]}, "
                    f"{resized[-1]}, 0x{fnv1a(resized):016x}}},")
    text = f"""// SPDX-License-Identifier: LGPL-2.1-or-later
// Written by resize_pillow.py: seed {SEED}, Pillow {PIL.__version__}, numpy {numpy.__version__}; bit-equal, no tolerance.
#pragma once

#include <cstdint>

namespace uad::golden {{

inline constexpr std::uint64_t kResizeSeed = {SEED};

struct ResizeCase {{
  int width, height, to_width, to_height, channels;
  int first, last;     // bytes of the result
  std::uint64_t hash;  // FNV-1a of all its bytes
}};

inline constexpr ResizeCase kResizeCases[] = {{
{chr(10).join(rows)}
}};

}}  // namespace uad::golden
"""
    pathlib.Path(__file__).with_suffix(".h").write_text(text)


main()

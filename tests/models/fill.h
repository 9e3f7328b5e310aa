// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers that the specifications fill weights with, the same on every machine.
#pragma once

#include <cstdint>

namespace uad::test {

/// Element j of the deterministic fill, on -1 … 1: an integer hash.
inline double fill_value(std::uint32_t j) {
  j ^= j >> 16;
  j *= 0x7feb352dU;
  j ^= j >> 15;
  j *= 0x846ca68bU;
  j ^= j >> 16;
  return 2.0 * j / 4294967296.0 - 1;
}

}  // namespace uad::test

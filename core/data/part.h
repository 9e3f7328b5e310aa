// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts of a test set: choose settings on one, measure on another.
#pragma once

#include <string_view>
#include <vector>

#include "core/data/dataset.h"

namespace uad {

/// The index-th of `count` parts, counted from 1.
struct Part {
  int index = 1;
  int count = 1;
};

/// "1/2". @throws Error(kBadOption) naming `option` unless 1 <= index <= count.
Part parse_part(std::string_view text, std::string_view option);

/// Of each kind of defect, and of the good images, the index-th of `count` equal blocks in name
/// order. Blocks, because neighbouring names often show the same piece, which must not be on both
/// sides.
std::vector<ImageItem> part_of(const std::vector<ImageItem>& items, const Part& part);

}  // namespace uad

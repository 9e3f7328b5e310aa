// SPDX-License-Identifier: LGPL-2.1-or-later
// Score maps as files of NumPy, so that any program can read them.
#pragma once

#include <filesystem>

#include "core/base/results/score_map.h"

namespace uad {

/// float32 [height, width], little-endian, row-major, NumPy format 1.0; written atomically.
/// @throws Error(kFailed).
void write_npy(const std::filesystem::path& file, const ScoreMap& map);

/// What write_npy() writes, bit by bit, and what numpy.save() makes of such an array.
/// @throws Error(kNotFound, kBadFile) naming the file and what it holds instead.
ScoreMap read_npy(const std::filesystem::path& file);

}  // namespace uad

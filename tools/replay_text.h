// SPDX-License-Identifier: LGPL-2.1-or-later
// A replay as text for people.
#pragma once

#include <optional>
#include <string>

#include "core/eval/replay.h"

namespace uad::tools {

/// Verdicts before and after by kind, figures, costs, and the images that change.
/// @param most  images that are named; the others are counted.
std::string replay_text(const StoredRun& run, const Replay& replayed,
                        const std::optional<CostComparison>& costs,
                        const std::optional<MapReplay>& maps, std::size_t most);

}  // namespace uad::tools

// SPDX-License-Identifier: LGPL-2.1-or-later
// From patch distances to the image score.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "models/patchcore/neighbours.h"

namespace uad::models::patchcore {

/// How the largest patch distance becomes the image score (specification, PatchCore, section 6).
enum class Reweight {
  kPaper,  ///< by the density of the bank around the nearest vector (paper, anomalib)
  kQi,     ///< QualityInspector's own formula, to compare with its published figures
  kNone,   ///< the distance itself
};

/// "paper", "qi", "none". @throws Error(kBadOption) for anything else.
[[nodiscard]] Reweight parse_reweight(const std::string& text);

/// Image score of one query: the patch farthest from the bank.
/// @param query     float32 [D]. @param distance  to its nearest vector, `nearest`.
/// @param neighbours  b; all of the bank if it has fewer.
[[nodiscard]] double image_score(const Bank& bank, const at::Tensor& query, float distance,
                                 std::int64_t nearest, std::int64_t neighbours, Reweight reweight);

}  // namespace uad::models::patchcore

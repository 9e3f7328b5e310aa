// SPDX-License-Identifier: LGPL-2.1-or-later
// The weights of a network as a model file holds them, none of them trusted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace uad {

using WeightShapes = std::map<std::string, std::vector<std::int64_t>>;  ///< by name

/// @return float32, by their names without `prefix`.
/// @throws Error(kBadFile) naming the tensor that is missing, has another shape or type, or holds
/// values that are not numbers.
[[nodiscard]] TensorMap read_weights(const CheckpointReader& in, const WeightShapes& shapes,
                                     const std::string& prefix);

/// For weights that are checked for shape elsewhere. @param prefix  of their names in the file.
/// @throws Error(kBadFile) naming the first tensor that holds values that are not numbers.
void require_numbers(const TensorMap& weights, const CheckpointReader& in,
                     const std::string& prefix);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// What the weights are before the first step. Source: specification, TinyUNet, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace uad::models::tiny_unet {

/// Names as in the option `weight_init_method`, bounds and deviations with n = channels · k²:
///   he_uniform      ±√(6 / n_in)
///   he_normal       normal cut at two deviations, √(2 / n_in) after the cut
///   glorot_uniform  ±√(6 / (n_in + n_out))
///   glorot_normal   as he_normal, √(2 / (n_in + n_out))
///   orthogonal      rows [out, n_in] orthonormal, or its columns where there are more rows
[[nodiscard]] const std::vector<std::string>& init_names();

/// float32, drawn layer after layer: the same seed gives the same weights. Biases are 0.
/// @param variant  of the network. @param name  one of init_names().
[[nodiscard]] TensorMap initial_weights(const std::string& variant, const std::string& name,
                                        std::uint64_t seed);

}  // namespace uad::models::tiny_unet

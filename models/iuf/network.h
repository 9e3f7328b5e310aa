// SPDX-License-Identifier: LGPL-2.1-or-later
// The tensors that learn. Two passes use them: recognise() of oasa.h tells the product, and
// reconstruct() of transformer.h rebuilds the features of neck.h under the conditions it gives.
//
// Names are the published ones without "reconstruction.".
#pragma once

#include <cstdint>
#include <string>

#include "core/checkpoint.h"
#include "models/iuf/network_shape.h"
#include "models/iuf/oasa.h"         // passed on: whoever has weights runs them
#include "models/iuf/transformer.h"  // likewise

namespace uad::models::iuf {

/// float32, on the CPU. Convolutions, linear layers and attention Glorot-uniform, learned queries
/// standard normal, position tables uniform in 0 … 1. Equal seeds give equal weights.
[[nodiscard]] TensorMap initial_weights(const NetworkShape& shape, std::uint64_t seed);

/// False for running statistics.
[[nodiscard]] bool is_trained(const std::string& name);

/// What a file holds of the network under `prefix`. @throws Error(kBadFile) naming the tensor that
/// is missing, has another shape or holds values that are not numbers.
[[nodiscard]] TensorMap read_weights(const CheckpointReader& in, const NetworkShape& shape,
                                     const std::string& prefix);

}  // namespace uad::models::iuf

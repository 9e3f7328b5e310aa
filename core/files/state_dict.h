// SPDX-License-Identifier: LGPL-2.1-or-later
// Foreign weights: safetensors, and PyTorch `.pth` in the zip form and the older form. Data only,
// nothing is executed.
#pragma once

#include <filesystem>

#include "core/checkpoint.h"

namespace uad {

/// Every tensor of a state dict, by name, contiguous on the CPU, in the file's own type.
/// @throws Error(kNotFound, kBadFile) naming the file and what is wrong with it.
TensorMap load_state_dict(const std::filesystem::path& file);

}  // namespace uad

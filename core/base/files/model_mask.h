// SPDX-License-Identifier: LGPL-2.1-or-later
// The ignore mask inside a model file, read without LibTorch.
#pragma once

#include <filesystem>

#include "core/base/pixels/image.h"

namespace uad {

inline constexpr char kMaskTensor[] = "input.mask";  ///< uint8 [height, width], 0 = ignore

/// @return 1 channel, or no pixels if the model ignores nothing.
/// @throws Error(kNotFound, kBadFile)
Image read_model_mask(const std::filesystem::path& file);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights to begin with in place of fresh ones. Source: specification, IUF, section 8 (load_path).
#pragma once

#include <filesystem>

#include "core/checkpoint.h"

namespace uad::models::iuf {

/// Puts the tensors of a file into `weights` where name and shape fit; a log line names some of
/// those that begin anew.
/// @param file  a model file of this method, or the published program's state dict (.pth, .pt,
/// .safetensors), whose names may begin with "module." and "reconstruction.".
/// @throws Error(kNotFound, kBadFile); Error(kBadFile) where none fits.
void take_start_weights(const std::filesystem::path& file, TensorMap& weights);

}  // namespace uad::models::iuf

// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of a training run as a file: everything that the next step depends on.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/checkpoint.h"

namespace uad {

struct RunCheckpoint {
  nlohmann::json identity;  ///< what the run is: two runs of equal identity take equal steps
  nlohmann::json progress;
  TensorMap tensors;
};

/// A safetensors file, written atomically. @throws Error(kFailed).
void save_run_checkpoint(const std::filesystem::path& file, const RunCheckpoint& checkpoint);

/// @param identity  what the file must be of.
/// @throws Error(kNotFound, kBadFile); Error(kBadOption) naming the first thing that differs.
RunCheckpoint load_run_checkpoint(const std::filesystem::path& file,
                                  const nlohmann::json& identity);

/// Copies stored tensors into those of a learner (see Learner::state()).
/// @throws Error(kBadFile) if one is missing or has another shape or type; nothing is changed then.
void restore(const TensorMap& stored, const TensorMap& state, const std::string& file_name);

}  // namespace uad

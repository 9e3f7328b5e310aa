// SPDX-License-Identifier: LGPL-2.1-or-later
// The safetensors container: an 8-byte length, a JSON header, tensor bytes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/checkpoint.h"

namespace uad {

struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
  std::string sha256;  ///< of the whole file, as read
};

/// Read into memory while hashing (a mapped file that somebody overwrites would kill the process).
/// @param on_progress  called with 0…1 about every 4 MiB; what it throws ends the reading.
/// @throws Error(kNotFound, kBadFile): every offset, size and type is checked before anything is
/// allocated.
Safetensors read_safetensors(const std::filesystem::path& file,
                             const std::function<void(double)>& on_progress = {});

/// Written beside the target, synced, then renamed: the target is the old file or the new one,
/// never a part.
/// @return SHA-256 of the file. @throws Error(kFailed) with the system's reason (disk full, no
/// permission).
std::string write_safetensors(const std::filesystem::path& file, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace uad

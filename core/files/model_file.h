// SPDX-License-Identifier: LGPL-2.1-or-later
// The `.uad` model file: a safetensors file with the manifest under `__metadata__.uad`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/base/files/manifest.h"
#include "core/base/pixels/image.h"
#include "core/checkpoint.h"

namespace uad {

struct ModelFile {
  Manifest manifest;
  TensorMap tensors;                    ///< the method's, under its own names
  std::vector<Image> self_test_frames;  ///< RGB, at most 4; as many as manifest.self_test.scores
  Image mask;                           ///< ignore mask used in training; empty if none
  ScoreMap sensitivity;  ///< gains of the merged map, see core/calibration/sensitivity.h; or empty
  std::vector<std::int64_t> training_frames;  ///< short_hash() of each frame it was trained on
  std::string sha256;                         ///< of the whole file; set by loading
};

/// Fills in the tensor hashes and writes atomically. @return SHA-256 of the file. @throws
/// Error(kFailed).
std::string save_model_file(const std::filesystem::path& file, ModelFile model);

/// Reads and verifies every hash; the self-test is replayed by whoever builds the model.
/// @throws Error(kNotFound, kBadFile, kCancelled).
ModelFile load_model_file(const std::filesystem::path& file, const ProgressFn& progress,
                          std::stop_token stop);

}  // namespace uad

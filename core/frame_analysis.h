// SPDX-License-Identifier: LGPL-2.1-or-later
// From what a method says of tiles to what is known of frames: of one, of several at once, and of
// one of which some windows are looked at.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/anomaly_model.h"
#include "core/base/joint_model.h"
#include "core/base/windowed_model.h"
#include "core/preprocessor.h"

namespace uad {

/// @throws Error(kFailed) if another backend made them.
const TensorTiles& as_tensor_tiles(const TileBatch& tiles);

/// See Tiles::frame_means; undefined where the model does not read them.
at::Tensor means_of(const AnomalyModel& model, const TensorTiles& batch);

/// Merged map and frame score of one batch of tiles.
/// @param product  see Model::analyse().
/// @throws Error(kFailed) if the model returns a non-finite score.
ModelOutput analyse_tiles(const AnomalyModel& model, const TileBatch& tiles,
                          const std::string& product = "");

/// The same for several frames; those of one shape go through the network together.
/// @return one a frame, in their order.
std::vector<ModelOutput> analyse_frames(const AnomalyModel& model,
                                        const std::vector<BatchedFrame>& frames);

/// The same for some windows of a frame, see WindowedModel::analyse_windows().
WindowsOutput analyse_windows(const AnomalyModel& model, const TileBatch& tiles,
                              const std::vector<std::size_t>& chosen, const std::string& product,
                              KeptWindows& kept);

}  // namespace uad

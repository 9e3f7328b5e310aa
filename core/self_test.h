// SPDX-License-Identifier: LGPL-2.1-or-later
// The frames that a model file replays at every load.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include "core/anomaly_model.h"
#include "core/base/pixels/image.h"
#include "core/files/model_file.h"
#include "core/preprocessor.h"

namespace uad {

/// Chooses up to three training frames while they pass by, and writes the self-test: one procedural
/// frame, then the chosen ones, each with the score that the finished model gives.
class SelfTestFrames {
 public:
  explicit SelfTestFrames(std::uint64_t seed) : random_(seed) {}

  /// Offers the next frame; every frame has the same chance to stay.
  /// @param network_image  called only if the frame is taken.
  void consider(const std::function<Image()>& network_image);

  /// Fills `self_test_frames` and `manifest.self_test.scores`. Real frames are left out if
  /// `real_frames` is false, if they are large (over 4 million pixels), or if they score so near to
  /// 0 that a relative tolerance means nothing.
  void write(const AnomalyModel& model, const TilePreprocessor& preprocessor, bool real_frames,
             ModelFile& file) const;

 private:
  std::mt19937_64 random_;
  std::size_t seen_ = 0;
  Size size_{};  // of the first frame at the network's input
  std::vector<Image> chosen_;
};

/// A picture with edges, gradients and texture, the same on every machine (integer arithmetic
/// only).
Image procedural_frame(Size size);

}  // namespace uad

// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames on their way to a fitter, several at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/anomaly_model.h"
#include "core/data/frame_source.h"
#include "core/preprocessor.h"

namespace uad {

/// Pixels of tiles that go through a network together: bounds the activations, whatever the number
/// of windows.
inline constexpr std::int64_t kPixelsPerBatch = 4LL << 20;

/// Some of the tiles; undefined stays so.
[[nodiscard]] at::Tensor part_of(const at::Tensor& tensor, std::int64_t first, std::int64_t end);

/// All of them in one, along the first dimension; undefined if they are.
[[nodiscard]] at::Tensor joined(const std::vector<at::Tensor>& tensors);

/// What is known of a frame's tiles where a method needs labels or masks; see Tiles.
struct TileTruth {
  at::Tensor labels;
  at::Tensor masks;
};

/// Collects the tiles of several frames until a batch is full. @note One thread.
class TileBatcher {
 public:
  /// @param fitter, observed  borrowed; `observed` counts the frames that the fitter has seen.
  TileBatcher(Fitter& fitter, int frames, std::size_t& observed)
      : fitter_(fitter), frames_(frames), observed_(observed) {}

  /// Frames of another shape than those that wait begin a new batch.
  void add(const LabelledFrame& frame, const TensorTiles& tiles, const TileTruth& truth = {});
  /// Hands over what waits.
  void flush();

 private:
  Fitter& fitter_;
  int frames_;
  std::size_t& observed_;
  std::vector<at::Tensor> images_;
  std::vector<at::Tensor> keeps_;
  std::vector<at::Tensor> labels_;
  std::vector<at::Tensor> masks_;
  std::vector<std::string> names_;     // one a tile
  std::vector<std::string> products_;  // the same
  std::vector<float> means_;           // of the frame, one a tile; none where nobody reads them
};

}  // namespace uad

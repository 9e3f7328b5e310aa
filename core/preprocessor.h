// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame in, normalised tiles out: the one function behind uadpreproc, uadinfer, training and the
// command line.
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "core/base/backend.h"

namespace uad {

/// The tiles of one frame. Immutable. @note Thread-safe.
class TensorTiles final : public TileBatch {
 public:
  TensorTiles(TilePlan plan, InputSpec spec, at::Tensor images, at::Tensor keep);
  [[nodiscard]] const TilePlan& plan() const noexcept override { return plan_; }
  [[nodiscard]] const InputSpec& spec() const noexcept override { return spec_; }
  /// float32 [N, 3, H, W], channels-last in memory, normalised.
  [[nodiscard]] const at::Tensor& images() const noexcept { return images_; }
  /// uint8 [N, 1, H, W], 0 = ignore; undefined where nothing is ignored.
  [[nodiscard]] const at::Tensor& keep() const noexcept { return keep_; }
  /// Of all pixels and channels that the tiles are cut from, normalised. Worked out at each call.
  [[nodiscard]] float frame_mean() const;

 private:
  TilePlan plan_;
  InputSpec spec_;
  at::Tensor images_;
  at::Tensor keep_;
};

/// Writes an image as the network wants it, channels-last float32 [H, W, 3]; grey is replicated.
/// @return what follows the last value. @note Thread-safe.
float* normalise_into(const Image& image, const InputSpec& spec, float* out);

/// The mask of a frame at the size of the network's input, before it is cut into tiles.
/// @param mask  1 channel, size of the frame. @note Thread-safe.
[[nodiscard]] Image mask_at_input(const Image& mask, const TilePlan& plan);

/// What the network sees of a frame: the tiles put together again, RGB of `plan().map_size()`.
[[nodiscard]] Image picture_of(const TileBatch& tiles);

/// Source of the rules: specification, representation-based detectors, section 2. @note
/// Thread-safe.
class TilePreprocessor final : public Preprocessor {
 public:
  /// @throws Error(kBadOption) for an impossible spec or a mask that ignores everything.
  explicit TilePreprocessor(PreprocessOptions options);
  [[nodiscard]] const PreprocessOptions& options() const noexcept override { return options_; }
  [[nodiscard]] TileBatchPtr cut(const FrameView& frame) const override;
  /// The mask of a frame, cut as the frame is: uint8 [N, 1, H, W], 1 = defect.
  /// @param mask  1 channel, size of the frame, non-zero = defect.
  [[nodiscard]] at::Tensor cut_defects(const Image& mask) const;
  /// The frame after ROI, resize and crop: 8-bit RGB, what self-tests keep.
  [[nodiscard]] Image network_image(const FrameView& frame) const;
  /// The tiles of an image that already went through network_image(); the mask plays no part.
  [[nodiscard]] std::shared_ptr<const TensorTiles> cut_network_image(const Image& image) const;

 private:
  PreprocessOptions options_;
};

}  // namespace uad
